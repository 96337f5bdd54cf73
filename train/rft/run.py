"""Reinforcement fine-tuning: checks everything first, then hands over to verl on Ray.

A run directory holds data/*.parquet, config.yaml (resolved), provenance.json, checkpoints/, log/
and, at the end, model/.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from data_engine.datasets.parquet import write_verl
from data_engine.errors import Interrupted
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import write
from data_engine.runtime.provenance import provenance, write_json
from data_engine.runtime.run_directory import RunDirectory
from data_engine.schema import Example
from reward_server.client import RewardClient
from reward_server.errors import ServerUnreachable
from reward_server.local import local_server
from train.errors import TrainError
from train.models.folder import model_folder
from train.rft.checkpoints import STOP, disk_full, last_whole
from train.rft.compose import RFTConfig, compose
from train.rft.environment import prepare_environment
from train.rft.export import export_model
from train.rft.model_checks import model_checks, model_name, refuse
from train.rft.queries import affordable_queries, query_rows
from train.rft.resume import check_resume, keep_log
from train.rft.rollout_check import check_rollout
from train.tasks.base import Row


def train(
    store: Path, examples: Mapping[str, Sequence[Example]], config: RFTConfig, *, resume: bool
) -> Path:
    """Run a recipe to its end and return the folder of the trained model.

    `examples` by split ("rl", "validation"). Raises ServerUnreachable or StaleGraph within seconds
    when the server is not right, TrainError when the rollout cannot run here, ConfigChanged for a
    resume with another config, Interrupted (with the command that resumes) when the server is lost
    or on Ctrl-C.
    """
    evidence = Evidence.load(store)
    composed = compose(config, evidence.digest)
    cpu = composed.trainer.device == "cpu"
    prepare_environment(cpu)
    check_rollout(composed)
    folder = model_folder(model_name(composed))
    most = config.most_queries or affordable_queries(composed)
    rows = query_rows(composed, examples, evidence, most)
    server: AbstractContextManager[str] = (
        nullcontext(config.server) if config.server else local_server(store)
    )
    with server as composed.rerec.server:
        _check_server(composed, evidence.digest, config.recipe)
        prompts = [row["prompt"] for split in rows.values() for row in split]
        refuse(model_checks(composed, folder, prompts))
        with RunDirectory(config.run).held():
            return _train(store, composed, rows, config, evidence.digest, resume)


def _check_server(composed: DictConfig, digest: str, recipe: str) -> None:
    """Ask the server whether it is ready; fills in the digest of a RecHead that is needed."""
    with RewardClient(composed.rerec.server, digest) as client:
        served = client.ready()
    if composed.rerec.task == "next_item":
        composed.rerec.head_digest = served["head_digest"]
        if not served["head_digest"]:
            raise TrainError(
                f"{recipe} is scored by a RecHead, and the server holds none: "
                "start it with --rechead FOLDER"
            )


def _train(
    store: Path,
    composed: DictConfig,
    rows: Mapping[str, list[Row]],
    config: RFTConfig,
    digest: str,
    resume: bool,
) -> Path:
    """As `train`, in a run directory that is held."""
    run = config.run
    check_resume(run, composed, resume)
    for warning in last_whole(run / "checkpoints")[1]:
        print(f"beware: {warning}")
    # the config first: a directory with it can be resumed
    write(run / "config.yaml", OmegaConf.to_yaml(composed, resolve=True))
    for split, chosen in rows.items():
        write_verl(run / f"data/{split}.parquet", chosen)
    facts = provenance(config=config.model_dump(mode="json"), graph_digest=digest, seed=config.seed)
    write_json(run / "provenance.json", facts)
    keep_log(run)
    os.environ["VERL_FILE_LOGGER_ROOT"] = str((run / "log").resolve())
    shown = config.model_copy(update={"server": config.server and "URL"})
    run_verl(composed, f"{command(store, shown)} --resume")
    return export_model(run, composed)


def command(store: Path, config: RFTConfig) -> str:
    """The command line of this run, as a user would type it."""
    options = {
        "store": store,
        "model": config.model,
        "run": config.run,
        "seed": config.seed,
        "server": config.server,
        "queries": config.most_queries,
        "lora-rank": config.lora_rank or None,
    }
    words = ["rerec", "train", "rft", config.recipe]
    for name, value in options.items():
        if value is not None:
            words += [f"--{name}", str(value)]
    for override in config.overrides:
        words += ["--set", override]
    return shlex.join(words)


def run_verl(composed: DictConfig, again: str) -> None:
    """Train on Ray. Raises Interrupted with the command `again` for what a resume can mend."""
    import ray

    from train.verl_plugin.machines import MachineLost
    from train.verl_plugin.main import run

    stop = Path(composed.trainer.default_local_dir, STOP)
    stop.parent.mkdir(parents=True, exist_ok=True)  # SIGTERM may come before the first checkpoint
    stop.unlink(missing_ok=True)
    try:
        run(composed, stop)
    except ServerUnreachable as error:
        raise Interrupted(
            f"{error}. A checkpoint was saved; when the server is right, resume with: {again}"
        ) from error
    except MachineLost as error:
        raise Interrupted(
            f"{error}. When Ray runs there again, resume from the last checkpoint with: {again}"
        ) from error
    except (ray.exceptions.RayError, OSError) as error:
        if not disk_full(stop.parent, error):
            raise
        raise Interrupted(
            f"the disk is full: make room at {stop.parent}, "
            f"then resume from the last checkpoint with: {again}"
        ) from error
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; resume from the last checkpoint with: {again}") from None
    finally:
        ray.shutdown()
    if stop.is_file():
        stop.unlink()
        raise Interrupted(f"stopped by SIGTERM after a checkpoint; resume with: {again}")
