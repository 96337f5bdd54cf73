"""Everything that is looked at before an SFT run starts: model, lessons, context, memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_engine.datasets.sampling import evenly
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.models.checks import check_chat, check_context, check_round_trip, load_tokenizer
from train.models.folder import Shape, model_folder, read_shape
from train.models.memory import available_memory, fits
from train.sft.chat_model.compose import filled_in, micro_batch_tokens
from train.sft.chat_model.config import ChatSFTConfig
from train.sft.chat_model.encoding import answer_tokens, encode_chat
from train.sft.chat_model.rows import Row, lesson_rows
from train.sft.lessons import lessons

HELD_OUT = 16  # lessons at least that the held-out loss is taken on, where there are so many
READ_BACK = 20  # answers whose round trip through the tokenizer is tried


@dataclass(frozen=True)
class Prepared:
    """A run that can start. rows, held_out: to learn from, and to validate on.

    longest, answer: tokens of the longest lesson, and of the longest answer. checkpointing: whether
    activations have to be computed twice to fit.
    """

    config: ChatSFTConfig
    folder: Path
    shape: Shape
    rows: list[Row]
    held_out: list[Row]
    longest: int
    answer: int
    checkpointing: bool
    gpu: bool


def prepare(
    config: ChatSFTConfig,
    evidence: Evidence,
    examples: Sequence[Example],
    validation: Sequence[Example],
) -> Prepared:
    """Read the model's shape and the lessons, fill in the defaults, check that all fits.

    Raises TrainError for what is wrong with the model, or too large for it or this machine.
    """
    import torch

    folder = model_folder(config.model)
    shape = read_shape(folder)
    tokenizer = load_tokenizer(folder)
    check_chat(folder, tokenizer)
    rows = lesson_rows(lessons(list(examples), evidence, config.style), config.answer_weight)
    answers = [row["messages"][-1]["content"] for row in evenly(rows, READ_BACK)]
    check_round_trip(folder, tokenizer, answers)
    if config.answer_weight != 1:
        answer_tokens(tokenizer, rows[0]["messages"], rows[0]["learned"])  # raises if it cannot
    gpu = torch.cuda.is_available()
    config = filled_in(config, shape, len(rows), gpu)
    assert config.batch is not None
    with_chains = [example for example in validation if example.chains]
    kept_back = lessons(with_chains, evidence, config.style) if with_chains else []
    held_out = _whole_batches(lesson_rows(kept_back, config.answer_weight), config.batch)
    longest, answer = _longest(tokenizer, [*rows, *held_out])
    check_context(folder, shape, tokenizer, longest)
    tokens = micro_batch_tokens(longest, config.precision, gpu)
    whole = fits(shape, tokens, lora=config.lora_rank > 0, room=available_memory())
    return Prepared(
        config, folder, shape, rows, held_out, longest, answer, checkpointing=not whole, gpu=gpu
    )


def _whole_batches(rows: Sequence[Row], batch: int) -> list[Row]:
    """About HELD_OUT of the rows, evenly, in whole batches: verl leaves out the rest of one."""
    batches = min(len(rows) // batch, max(1, HELD_OUT // batch))
    return evenly(rows, batches * batch)


def _longest(tokenizer: Any, rows: Sequence[Row]) -> tuple[int, int]:
    """Tokens of the longest lesson, and of the longest learned part."""
    encoded = [encode_chat(tokenizer, row["messages"], row["learned"]) for row in rows]
    return max(len(one.ids) for one in encoded), max(sum(one.learned) for one in encoded)
