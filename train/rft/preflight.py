"""The checks of `--dry-run` before anything heavy starts.

Model, prompts, reward server, rollout, memory.
"""

from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from data_engine.errors import RerecError
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.errors import ServerUnreachable
from train.rft.rollout_check import missing_gpu, missing_vllm, wrong_vllm
from train.rft.settings import recipe_task
from train.tasks.base import Chat

GB = 1e9
TRAINED = 16  # bytes per parameter in fp32 FSDP: weights, gradients, two moments of Adam
FROZEN = 4  # bytes per parameter beside an adapter: weights in fp32
SAMPLE = 200  # prompts that are measured


class Check(NamedTuple):
    """The outcome of a check; `passed` is None for one that could not be made from here."""

    name: str
    passed: bool | None
    message: str


def preflight(composed: DictConfig, store: Path) -> list[Check]:
    """Every check, in the order in which a run would meet them."""
    folder = Path(str(composed.actor_rollout_ref.model.path))
    evidence, prompts = _sampled_prompts(composed, store)
    return [
        _model(folder),
        _prompts(composed, folder, prompts, store),
        _server(composed, evidence),
        _rollout(composed),
        _memory(composed, folder),
    ]


def _sampled_prompts(composed: DictConfig, store: Path) -> tuple[Evidence | None, list[Chat]]:
    if not store.is_file():
        return None, []
    evidence = Evidence.load(store)
    with Store.open(store, read_only=True) as opened:
        examples = opened.examples("rl")
    rows = recipe_task(composed).sample(examples, evidence, SAMPLE)
    return evidence, [row["prompt"] for row in rows]


def _model(folder: Path) -> Check:
    if not folder.is_dir():
        return Check(
            "model",
            None,
            f"{folder} is no folder here: a name of the hub is fetched when the run starts",
        )
    missing = [
        name for name in ("config.json", "tokenizer_config.json") if not (folder / name).is_file()
    ]
    if not list(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    return Check(
        "model", not missing, f"{folder} lacks {', '.join(missing)}" if missing else str(folder)
    )


def _prompts(composed: DictConfig, folder: Path, prompts: list[Chat], store: Path) -> Check:
    """Whether they fit, as the model's own tokenizer and chat template make them."""
    if not prompts:
        return Check("prompts", None, f"nothing to ask in {store}: give --store")
    if not (folder / "tokenizer_config.json").is_file():
        return Check("prompts", None, "no tokenizer here to measure them with")
    from transformers import AutoTokenizer

    tokenizer, most = AutoTokenizer.from_pretrained(folder), composed.data.max_prompt_length
    if not tokenizer.chat_template:
        return Check(
            "prompts",
            False,
            f"the tokenizer in {folder} has no chat template: take an instruct model",
        )
    texts = tokenizer.apply_chat_template(prompts, add_generation_prompt=True, tokenize=False)
    longest = max(map(len, tokenizer(texts)["input_ids"]))
    fits = longest <= most
    message = f"the longest of {len(prompts)} has {longest} tokens of {most}"
    return Check("prompts", fits, message if fits else f"{message}: raise data.max_prompt_length")


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


def _memory(composed: DictConfig, folder: Path) -> Check:
    """The memory of one device while it trains.

    Its share of weights, gradients and optimiser, and the logits of a micro batch in fp32, twice.
    """
    if not (folder / "config.json").is_file():
        return Check("memory", None, "no config.json here to count parameters by")
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shape = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        count = sum(p.numel() for p in AutoModelForCausalLM.from_config(shape).parameters())
    devices = composed.trainer.n_gpus_per_node * composed.trainer.nnodes
    adapter = composed.actor_rollout_ref.model.lora_rank > 0
    state = count * (FROZEN if adapter else TRAINED) / devices
    logits = 2 * 4 * shape.vocab_size * composed.actor_rollout_ref.actor.ppo_max_token_len_per_gpu
    message = (
        f"{count / 1e6:,.1f} M parameters: "
        f"about {(state + logits) / GB:.1f} GB a device while training"
    )
    if composed.trainer.device != "cuda":
        return Check("memory", True, message)
    if not torch.cuda.is_available():
        return Check("memory", None, f"{message}; no GPU here to hold it against")
    room = torch.cuda.get_device_properties(0).total_memory
    return Check("memory", state + logits < room, f"{message} of {room / GB:.0f} GB")
