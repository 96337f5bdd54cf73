"""Reinforcement fine-tuning: an edge that checks everything first, then hands over to verl on Ray.

A run directory holds data/*.parquet, config.yaml (resolved), provenance.json, checkpoints/, log/ and, at the end, model/.
"""

import glob
import os
import shlex
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field

from data_engine.datasets.parquet import write_verl
from data_engine.errors import DataError, Interrupted
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import draft, write
from data_engine.runtime.config import Config
from data_engine.runtime.provenance import provenance, write_json
from data_engine.runtime.quiet import words_to
from data_engine.runtime.run_directory import RunDirectory
from data_engine.schema import Example
from reward_server.client import RewardClient
from reward_server.errors import ServerUnreachable
from reward_server.local import local_server
from train.cores import threads
from train.errors import BadRecipe, TrainError
from train.rft.checkpoints import FOLDER, LATEST, STOP, disk_full, last_whole
from train.rft.curriculum import CurriculumConfig
from train.rft.overrides import quoted, spelled
from train.rft.selection import first_of_the_best
from train.rft.settings import check_agreement, check_section, recipe_task

RECIPES = Path(__file__).parents[1] / "recipes"
PLUGIN = Path(__file__).parents[1] / "verl_plugin"
BASES = {"rerec_base", "tiny_cpu", "gpu_3b"}
DONE = "model"
PLACES = (  # where server and code lie: a resume may find them elsewhere
    "rerec.server",
    "actor_rollout_ref.rollout.agent.agent_loop_config_path",
    "ray_kwargs.ray_init.runtime_env.worker_process_setup_hook",
    "ray_kwargs.ray_init.logging_level",
)


class RFTConfig(Config):
    """One run of one of our recipes, by name, or of a YAML file. `overrides` are hydra overrides of
    the recipe ("trainer.total_training_steps=60"); no `model` means the recipe's own, no `server` one
    that is started for the run."""

    recipe: str
    run: Path
    model: str | None
    server: str | None = None
    seed: int = 0
    overrides: tuple[str, ...] = ()
    most_queries: int | None = Field(None, ge=1)


def recipes() -> list[str]:
    """Names of the recipes that can be run."""
    return sorted(p.stem for p in RECIPES.glob("*.yaml") if p.stem not in BASES)


def prepare_environment(cpu: bool) -> None:
    """Set what verl and Ray read from the environment, before either is imported; workers inherit it."""
    os.environ.update(
        HF_HUB_OFFLINE=os.environ.get("HF_HUB_OFFLINE", "1"),
        RAY_USAGE_STATS_ENABLED="0",
        RAY_DEDUP_LOGS="0",
        TQ_NUM_THREADS="2",
        TQ_CLIENT_ZMQ_IO_THREADS="2",
        WANDB_MODE="disabled",
        TOKENIZERS_PARALLELISM="false",
        RAY_memory_usage_threshold="0.98",
    )
    if cpu:
        os.environ.update(
            VERL_PLATFORM="cpu",
            VERL_USE_EXTERNAL_MODULES="train.verl_plugin.platform_cpu",
            OMP_NUM_THREADS=str(threads()),
        )


def on_cpu(recipe: str, overrides: Sequence[str] = ()) -> bool:
    """Whether a recipe trains on CPU, as composed. Raises BadRecipe for one that does not compose."""
    return _composed(recipe, overrides).trainer.device == "cpu"


def _place(recipe: str) -> Path:
    """The file of a recipe: one of ours by name, or any by its path. Raises BadRecipe."""
    if recipe in recipes():
        return RECIPES / f"{recipe}.yaml"
    if not recipe.endswith(".yaml"):
        raise BadRecipe(
            f"no recipe {recipe!r}: choose from {', '.join(recipes())}, or give a file, ./NAME.yaml"
        )
    path = Path(recipe).resolve()
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise BadRecipe(f"no recipe can be read from {recipe}: {why}") from error
    if not isinstance(found, dict) or "defaults" not in found:
        raise BadRecipe(
            f"{recipe} must say which recipe it changes: begin it with `defaults: [tiny-grpo, _self_]`"
        )
    return path


def _composed(recipe: str, overrides: Sequence[str], said: Sequence[str] = ()) -> DictConfig:
    """What hydra makes of a recipe's file, its defaults (which may be ours, or verl's) and the
    overrides; an error names only what the user `said`."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException

    path, verl = _place(recipe), Path(find_spec("verl").origin).parent / "trainer/config"
    searched = ",".join(quoted(f"file://{folder}") for folder in (RECIPES, verl))
    try:
        with (
            words_to(None),
            initialize_config_dir(str(path.parent), version_base=None),
        ):  # it imports verl
            return hydra_compose(path.stem, [*overrides, f"hydra.searchpath=[{searched}]"])
    except RecursionError:
        raise BadRecipe(
            f"the defaults of {recipe} lead back to itself: give the file another name"
        ) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise _uncomposable(recipe, said, error) from error


def _uncomposable(recipe: str, said: Sequence[str], error: Exception) -> BadRecipe:
    return BadRecipe(
        f"recipe {recipe} with {list(said)} does not compose: {(str(error) or repr(error)).splitlines()[0]}"
    )


def compose(config: RFTConfig, digest: str) -> DictConfig:
    """The whole verl config of a run. Raises BadRecipe when it does not compose, is at odds with
    itself (see `train.rft.settings`), or would run where its server is not."""
    if any(override.lstrip("+").startswith("rerec.server=") for override in config.overrides):
        raise BadRecipe(
            "rerec.server is where this run's own server lies, or what --server says: give --server URL"
        )
    run = config.run.resolve()
    if "::" in str(run):
        raise BadRecipe(f"{run}: data are not read from a path with :: in it: give another --run")
    filled = {
        "rerec.graph_digest": digest,
        "rerec_seed": config.seed,
        "data.train_files": glob.escape(str(run / "data/rl.parquet")),  # read as a pattern
        "data.val_files": glob.escape(str(run / "data/validation.parquet")),
        "trainer.default_local_dir": run / "checkpoints",
        "trainer.validation_data_dir": run / "samples",
        "actor_rollout_ref.rollout.agent.agent_loop_config_path": PLUGIN / "agent_loops.yaml",
    }
    if config.server:
        filled["rerec.server"] = config.server
    if config.model is not None:
        filled["actor_rollout_ref.model.path"] = (
            Path(config.model).resolve() if Path(config.model).is_dir() else config.model
        )
    ours = (
        f"{key}={value if isinstance(value, int) else quoted(str(value))}"
        for key, value in filled.items()
    )
    composed = _composed(config.recipe, (*ours, *map(spelled, config.overrides)), config.overrides)
    try:
        check_section(OmegaConf.to_container(composed.rerec, resolve=True, throw_on_missing=False))
        check_agreement(composed)
    except OmegaConfBaseException as error:
        raise _uncomposable(config.recipe, config.overrides, error) from error
    if not config.server and (composed.trainer.nnodes > 1 or "RAY_ADDRESS" in os.environ):
        raise BadRecipe(
            "several machines need a reward server that all of them reach: start `rerec serve --host …` and give its URL as --server"
        )
    return composed


def dry_run(config: RFTConfig) -> DictConfig:
    """Compose and let verl validate, without data, model or server. Raises BadRecipe."""
    prepare_environment(
        cpu=True
    )  # to validate, verl needs a device it can name, which may not be the recipe's
    from train.verl_plugin.main import validate

    composed = compose(config, "dry-run")
    checked = composed.copy()
    if find_spec("vllm") is None:
        checked.actor_rollout_ref.model.lora_rank = (
            0  # verl would ask vLLM itself whether it takes the rank
        )
    try:
        with words_to(None):
            validate(checked)
    except (ValueError, AssertionError, NotImplementedError, TypeError) as error:
        raise BadRecipe(f"recipe {config.recipe} is refused by verl: {error}") from error
    return composed


def train(
    store: Path, examples: dict[str, list[Example]], config: RFTConfig, *, resume: bool
) -> Path:
    """Run a recipe to its end and return the folder of the trained model.

    `examples` by split ("rl", "validation"). Raises ServerUnreachable or StaleGraph within seconds when the server is not right,
    ConfigChanged for a resume with another config, Interrupted (with the command that resumes) when the server is lost or on Ctrl-C.
    """
    evidence = Evidence.load(store)
    composed = compose(config, evidence.digest)
    cpu = composed.trainer.device == "cpu"
    prepare_environment(cpu)
    if cpu and not Path(config.model or "", "config.json").is_file():
        raise TrainError(
            f"no model folder at {config.model}: make one with `rerec train sft` and give its model/ as --model"
        )
    rows = _rows(composed, examples, evidence, config.most_queries or _affordable(composed))
    with (
        nullcontext(config.server)
        if config.server
        else local_server(store) as composed.rerec.server
    ):
        with RewardClient(composed.rerec.server, evidence.digest) as client:
            served = client.ready()
        if composed.rerec.task == "next_item":
            composed.rerec.head_digest = served["head_digest"]
            if not served["head_digest"]:
                raise TrainError(
                    f"{config.recipe} is scored by a RecHead, and the server holds none: start it with --rechead FOLDER"
                )
        with RunDirectory(config.run).held():
            return _train(store, composed, rows, config, evidence.digest, resume)


def _train(
    store: Path,
    composed: DictConfig,
    rows: dict[str, list[dict]],
    config: RFTConfig,
    digest: str,
    resume: bool,
) -> Path:
    check_resume(config.run, composed, resume)
    for said in last_whole(config.run / "checkpoints")[1]:
        print(f"beware: {said}")
    write(
        config.run / "config.yaml", OmegaConf.to_yaml(composed, resolve=True)
    )  # first: a directory with it can be resumed
    for split, chosen in rows.items():
        write_verl(config.run / f"data/{split}.parquet", chosen)
    write_json(
        config.run / "provenance.json",
        provenance(config=config.model_dump(mode="json"), graph_digest=digest, seed=config.seed),
    )
    _keep_log(config.run)
    os.environ["VERL_FILE_LOGGER_ROOT"] = str((config.run / "log").resolve())
    _run(
        composed,
        f"{command(store, config.model_copy(update={'server': config.server and 'URL'}))} --resume",
    )
    return _export(config.run, composed)


def command(store: Path, config: RFTConfig) -> str:
    """What a user would type for this run."""
    options = {
        "store": store,
        "model": config.model,
        "run": config.run,
        "seed": config.seed,
        "server": config.server,
        "queries": config.most_queries,
    }
    words = ["rerec", "train", "rft", config.recipe]
    words += [
        str(word)
        for name, value in options.items()
        if value is not None
        for word in (f"--{name}", value)
    ]
    return shlex.join([*words, *(word for o in config.overrides for word in ("--set", o))])


def _rows(
    composed: DictConfig, examples: dict[str, list[Example]], evidence: Evidence, most: int | None
) -> dict[str, list[dict]]:
    """What is asked, by split; at most so many to learn from, evenly over all kinds. Raises DataError where they do not make a batch."""
    task, batch = recipe_task(composed), composed.data.train_batch_size
    rows = task.rows(examples, evidence)
    rl = rows["rl"]
    if most is not None and most < len(rl):
        rows["rl"] = [rl[k * len(rl) // most] for k in range(most)]
    if len(rows["rl"]) < batch:
        raise DataError(
            f"{len(rows['rl'])} RL queries are fewer than one batch of {batch}: {task.more}"
        )
    return rows


def _affordable(composed: DictConfig) -> int | None:
    settings, steps = composed.rerec.curriculum, composed.trainer.total_training_steps
    return (
        CurriculumConfig(**settings).affordable(steps, composed.data.train_batch_size)
        if settings and steps
        else None
    )


def metrics_files(run: Path) -> list[Path]:
    """verl's logs of a run, oldest first: one JSON object a step, {"step", "data"}. Each resume starts a new file."""
    folder = run / "log/rerec"
    return sorted(folder.glob("rft-*.jsonl")) + [p for p in (folder / "rft.jsonl",) if p.is_file()]


def _keep_log(run: Path) -> None:
    """Move the log of the attempt before out of the way: verl's file logger starts its file anew."""
    files = metrics_files(run)
    if files and files[-1].name == "rft.jsonl":
        files[-1].rename(files[-1].with_name(f"rft-{len(files):03d}.jsonl"))


def _run(composed: DictConfig, again: str) -> None:
    import ray

    from train.verl_plugin.main import run

    stop = Path(composed.trainer.default_local_dir, STOP)
    stop.parent.mkdir(
        parents=True, exist_ok=True
    )  # verl makes it with the first checkpoint: SIGTERM may come before
    stop.unlink(missing_ok=True)
    try:
        run(composed, stop)
    except ServerUnreachable as error:
        why = getattr(error, "cause", error)  # without Ray's traceback
        raise Interrupted(
            f"{why}. A checkpoint was saved; when the server is right, resume with: {again}"
        ) from error
    except ray.exceptions.RayError as error:
        if not disk_full(stop.parent, error):
            raise
        raise Interrupted(
            f"the disk is full: make room at {stop.parent}, then resume from the last checkpoint with: {again}"
        ) from error
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; resume from the last checkpoint with: {again}") from None
    finally:
        ray.shutdown()
    if stop.is_file():
        stop.unlink()
        raise Interrupted(f"stopped by SIGTERM after a checkpoint; resume with: {again}")


def check_resume(run: Path, composed: DictConfig, resume: bool) -> None:
    """Refuse a directory in use, and a resume with another config but for where things lie."""
    directory = RunDirectory(run, "config.yaml", movable=PLACES, upgrade=upgraded)
    directory.check(OmegaConf.to_container(composed, resolve=True), resume=resume)


def upgraded(config: dict[str, Any]) -> dict[str, Any]:
    """A config.yaml as it would be written now.

    Before recipes named an algorithm, verl's estimator told which it was.
    """
    ours = {"algorithm": config["algorithm"]["adv_estimator"]} | config["rerec"]
    return config | {"rerec": ours}


def _export(run: Path, composed: DictConfig) -> Path:
    """Copy the last checkpoint's Hugging Face weights to run/model, an adapter merged into them; or with `rerec.best_by` those of the first step that
    validation cannot tell from the best, which may be where the run began, if that is a folder."""
    folder = run / "checkpoints"

    def weights(step: int) -> Path:
        return (
            folder / f"{FOLDER}{step}/actor/huggingface"
            if step
            else Path(composed.actor_rollout_ref.model.path)
        )

    step = int((folder / LATEST).read_text())
    if by := composed.rerec.best_by:
        step, means = first_of_the_best(run / "samples", by, lambda at: weights(at).is_dir())
        print(
            f"by {by} on validation step {step} is the first of the best: {', '.join(f'{at}: {mean:.4f}' for at, mean in means.items())}"
        )
    if not weights(step).is_dir():
        raise TrainError(
            f"the checkpoint of step {step} in {folder} holds no Hugging Face weights: keep hf_model in checkpoint.save_contents"
        )
    target = run / DONE
    with draft(target) as part:
        shutil.copytree(weights(step), part)
        if step and composed.actor_rollout_ref.model.lora_rank:
            from train.rft.adapter import merge_adapter

            merge_adapter(part, composed.actor_rollout_ref.model)
        shutil.rmtree(target, ignore_errors=True)
    return target
