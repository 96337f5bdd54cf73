"""What a model folder is and needs, item by item, whatever is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.errors import TrainError
from train.models.checks import check_chat, check_round_trip, load_tokenizer
from train.models.folder import Shape, context_of, model_folder, read_shape
from train.models.memory import GB, available_memory, rft_memory, sft_memory

TOKENS = 1536  # of a micro batch, which the memory is given for


@dataclass(frozen=True)
class ModelReport:
    """facts: what to show, in order. wrong: a line per check that failed."""

    facts: dict[str, object]
    wrong: list[str]


def report(name: str) -> ModelReport:
    """Look at a model; its weights are not read.

    Raises TrainError where there is no model, or one of an unknown architecture.
    """
    folder = model_folder(name)
    shape = read_shape(folder)
    facts: dict[str, object] = {
        "model": str(folder),
        "architecture": shape.architecture,
        "parameters_m": round(shape.parameters / 1e6, 1),
    }
    wrong: list[str] = []
    try:
        tokenizer = load_tokenizer(folder)
    except TrainError as error:
        wrong.append(str(error))
    else:
        facts["context"] = context_of(shape, tokenizer) or "no limit"
        checks = {"chat_template": check_chat, "tokenizer_round_trip": check_round_trip}
        for key, check in checks.items():
            facts[key] = _verdict(check, folder, tokenizer, wrong)
    weights = list(folder.glob("*.safetensors"))
    facts["weights_gb"] = round(sum(path.stat().st_size for path in weights) / GB, 2)
    if not weights:
        wrong.append(f"{folder} holds no weights as safetensors: fetch or make the model again")
    return ModelReport(facts | _memory(shape), wrong)


def _verdict(
    check: Callable[[Path, Any], None], folder: Path, tokenizer: Any, wrong: list[str]
) -> str:
    try:
        check(folder, tokenizer)
    except TrainError as error:
        wrong.append(str(error))
        return "WRONG"
    return "fine"


def _memory(shape: Shape) -> dict[str, object]:
    """GB at the peak of each way to train, with micro batches of TOKENS, and what is free."""
    needs = {
        "sft_gb": sft_memory(shape, TOKENS, lora=False, checkpointing=False),
        "sft_least_gb": sft_memory(shape, TOKENS, lora=False, checkpointing=True),
        "lora_gb": sft_memory(shape, TOKENS, lora=True, checkpointing=False),
        "lora_least_gb": sft_memory(shape, TOKENS, lora=True, checkpointing=True),
        "rft_gb": rft_memory(shape, TOKENS),
        "free_gb": available_memory(),
    }
    return {key: round(value / GB, 1) for key, value in needs.items()}
