"""The checks of `--dry-run` before anything heavy starts.

Model, prompts, reward server, rollout, memory.
"""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from data_engine.errors import RerecError
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.errors import ServerUnreachable
from train.errors import TrainError
from train.rft.model_checks import Check, model_checks, model_name
from train.rft.rollout_check import missing_gpu, missing_vllm, wrong_vllm
from train.rft.settings import recipe_task
from train.tasks.base import Chat

SAMPLE = 200  # prompts that are measured


def preflight(composed: DictConfig, store: Path) -> list[Check]:
    """Every check, in the order in which a run would meet them."""
    evidence, prompts = _sampled_prompts(composed, store)
    of_model = _of_the_model(composed, prompts, store)
    return [*of_model, _rollout(composed), _server(composed, evidence)]


def _sampled_prompts(composed: DictConfig, store: Path) -> tuple[Evidence | None, list[Chat]]:
    if not store.is_file():
        return None, []
    evidence = Evidence.load(store)
    with Store.open(store, read_only=True) as opened:
        examples = opened.examples("rl")
    rows = recipe_task(composed).sample(examples, evidence, SAMPLE)
    return evidence, [row["prompt"] for row in rows]


def _of_the_model(composed: DictConfig, prompts: list[Chat], store: Path) -> list[Check]:
    try:
        folder = Path(model_name(composed))
    except TrainError as error:
        return [Check("model", False, str(error))]
    if not folder.is_dir():
        fetched = f"{folder} is no folder here: a name of the hub is fetched when the run starts"
        return [Check("model", None, fetched)]
    checks = model_checks(composed, folder, prompts)
    if prompts:
        return checks
    unasked = Check("prompts", None, f"nothing to ask in {store}: give --store")
    return [unasked if check.name == "prompts" else check for check in checks]


def _server(composed: DictConfig, evidence: Evidence | None) -> Check:
    if OmegaConf.is_missing(composed.rerec, "server"):
        return Check("reward server", None, "one is started with the run")
    server = composed.rerec.server
    try:
        with RewardClient(server, evidence.digest if evidence else None) as client:
            served = client.ready()
    except ServerUnreachable:
        return Check(
            "reward server", None, f"nobody answers at {server}: start it with `rerec serve`"
        )
    except RerecError as error:
        return Check("reward server", False, str(error))
    if composed.rerec.task == "next_item" and not served["head_digest"]:
        return Check(
            "reward server", False, f"{server} holds no RecHead: start it with --rechead FOLDER"
        )
    return Check(
        "reward server",
        True,
        f"{server}, graph {served['graph_digest']}, {served['examples']} Examples",
    )


def _rollout(composed: DictConfig) -> Check:
    """A recipe for another machine may be looked at here, so what is missing is no fault."""
    if wrong := wrong_vllm(composed):
        return Check("rollout", False, wrong)
    missing = missing_vllm(composed) or missing_gpu(composed)
    return Check(
        "rollout", None if missing else True, missing or composed.actor_rollout_ref.rollout.name
    )
