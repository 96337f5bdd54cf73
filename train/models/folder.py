"""A folder with a causal language model, and what its configuration says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.errors import TrainError

SANE = 10_000_000  # tokens; tokenizers write 1e30 for "no limit"


@dataclass(frozen=True)
class Shape:
    """Sizes of a model.

    inner: width of the feed-forward layers. context: tokens of prompt and answer at most, None
    where the model sets no limit.
    """

    architecture: str
    parameters: int
    layers: int
    width: int
    inner: int
    vocabulary: int
    context: int | None


def model_folder(name: str) -> Path:
    """The folder of a model: `name` itself, or where the hub's model of that name lies.

    The hub is asked unless HF_HUB_OFFLINE=1, and then what it once gave is used. Raises TrainError
    where there is no such model.
    """
    folder = Path(name)
    if (folder / "config.json").is_file():
        return folder
    if not _may_be_on_a_hub(name):
        raise TrainError(
            f"no model folder at {name}: it should hold config.json, tokenizer and weights, "
            "as `rerec train sft` writes and `rerec model smollm2` makes"
        )
    return _from_hub(name)


def _may_be_on_a_hub(name: str) -> bool:
    """Whether it reads as owner/name, and does not begin with a folder that is here."""
    owner, _, rest = name.partition("/")
    return bool(owner.strip(".~") and rest) and "/" not in rest and not Path(owner).exists()


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name))
    except (OSError, ValueError) as error:  # no such name, no network, no access
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainError(
            f"{name} is no folder here, and the hub does not give it: {why}"
        ) from error


def read_shape(folder: Path) -> Shape:
    """The sizes that a folder's config.json gives; no weights are read.

    Raises TrainError for an architecture that transformers does not know, or that is no causal
    language model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except (ValueError, KeyError, OSError) as error:
        raise TrainError(_unknown(folder, error)) from error
    text: Any = config.get_text_config()
    return Shape(
        architecture=type(model).__name__,
        parameters=sum(p.numel() for p in model.parameters()),
        layers=text.num_hidden_layers,
        width=text.hidden_size,
        inner=getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        vocabulary=text.vocab_size,
        context=getattr(text, "max_position_embeddings", None),
    )


def _unknown(folder: Path, error: Exception) -> str:
    import json

    import transformers

    try:
        named = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = named.get("model_type", "none")
    except (OSError, ValueError, AttributeError):
        return f"{folder}/config.json cannot be read: fetch or make the model again"
    return (
        f"the architecture of {folder} ({kind}) is no causal language model that "
        f"transformers {transformers.__version__} knows: take another model"
    )


def context_of(shape: Shape, tokenizer: Any) -> int | None:
    """Tokens that fit: by the model, or by its tokenizer where the model sets no limit."""
    if shape.context is not None:
        return shape.context
    most = tokenizer.model_max_length
    return int(most) if most < SANE else None
