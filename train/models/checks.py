"""Whether a model folder can be taught and asked as a chat model, in one line where it cannot."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from train.errors import TrainError
from train.models.folder import Shape, context_of

SAMPLE = "One, two.\n\n- three  four\n- five , six\n\n\t<answer>Seven (1995)</answer>"
CHAT = [{"role": "user", "content": "Which one?"}, {"role": "assistant", "content": "This one."}]


def load_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer. Raises TrainError where there is none."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainError(f"no tokenizer can be read from {folder}: {why}") from error


def check_chat(folder: Path, tokenizer: Any) -> None:
    """Raises TrainError for a tokenizer without chat template, or one of a base model.

    A base model's template, where it has one, ends an answer with another token than the one at
    which its generation stops: such a model would never end an answer.
    """
    if not tokenizer.chat_template:
        raise TrainError(
            f"the tokenizer in {folder} has no chat template: it is a base model, or was saved "
            "without one; take the model's instruct version"
        )
    if tokenizer.eos_token is None:
        raise TrainError(
            f"the tokenizer in {folder} names no eos_token: answers would never end; "
            "name one in tokenizer_config.json"
        )
    text = tokenizer.apply_chat_template(CHAT, tokenize=False)
    if tokenizer.eos_token not in text.rpartition(CHAT[-1]["content"])[2]:
        raise TrainError(
            f"answers in the chat template of {folder} do not end with its eos_token "
            f"{tokenizer.eos_token}: it is a base model; take the model's instruct version"
        )


def check_round_trip(folder: Path, tokenizer: Any, texts: Iterable[str] = ()) -> None:
    """Raises TrainError for a tokenizer that gives a text back otherwise, white space included."""
    for text in (SAMPLE, *texts):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        back = tokenizer.decode(ids, skip_special_tokens=True)
        if back != text:
            at = next(
                (k for k, (a, b) in enumerate(zip(text, back, strict=False)) if a != b),
                min(len(text), len(back)),
            )
            what = "drops white space" if "".join(back.split()) == "".join(text.split()) else "errs"
            raise TrainError(
                f"the tokenizer in {folder} {what}: {text[at : at + 12]!r} comes back as "
                f"{back[at : at + 12]!r}; answers could not be read, take another model"
            )


def check_context(folder: Path, shape: Shape, tokenizer: Any, longest: int) -> None:
    """Raises TrainError for a context that is shorter than the longest prompt with its answer."""
    most = context_of(shape, tokenizer)
    if most is not None and longest > most:
        raise TrainError(
            f"the longest prompt with its answer has {longest} tokens, and {folder} takes {most}: "
            "synthesise with fewer --candidates, or take a model with a longer context"
        )
