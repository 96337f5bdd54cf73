"""Chains of thought and short answers before a moment: RPORec's stage 1.

Three sources of the same shape: a template (`train.sequential.template`), any OpenAI-compatible
endpoint, and a policy's folder.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from data_engine.datasets.sequences import Next, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.responses.reading import split_answer
from data_engine.schema import content_hash
from train.evaluation.decoding import Decoding
from train.evaluation.endpoint import EndpointConfig, ask
from train.evaluation.response_log import ResponseLog

READ = 12  # of the last items of a history, in words
MAX_TOKENS = 64  # of a policy's response
BATCH = 1000  # responses between two writes
PROMPT = """Someone watched, oldest first:
{history}

What will they want next? Think in a few short lines about what their last choices share, \
then describe the next item in one short sentence
between <answer> and </answer>."""


class Thought(NamedTuple):
    """A chain of thought and the short answer it ends in; either may be empty."""

    thought: str
    answer: str


Thinker = Callable[[Sequence[Next]], list[Thought]]  # one thought per moment, in order
Progress = Callable[[int, int], None]  # called with how many are done, of how many


def policy_thinker(
    folder: Path, question: Callable[[Next], str], cache: Path, progress: Progress
) -> Thinker:
    """The policy of a model folder, greedy; each response is kept in `cache` as it comes.

    The thinker raises TrainError when the folder holds no model.
    """

    def think(moments: Sequence[Next]) -> list[Thought]:
        weights = _digest_of_weights(folder)
        prompts = [question(one) for one in moments]
        keys = [content_hash([weights, prompt, MAX_TOKENS]) for prompt in prompts]
        record = ResponseLog(cache)
        missing = {
            key: prompt
            for key, prompt in zip(keys, prompts, strict=True)
            if key not in record.found
        }
        for responses in _respond_in_batches(folder, missing, progress):
            record.add(responses)
        return [parse_thought(record.found[key]) for key in keys]

    return think


def _digest_of_weights(folder: Path) -> str:
    paths = sorted(folder.glob("*.safetensors"))
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _respond_in_batches(
    folder: Path, prompts: dict[str, str], progress: Progress
) -> Iterator[dict[str, str]]:
    """The responses to the prompts by their keys, BATCH at a time."""
    from train.evaluation.generate import respond  # torch takes seconds to import

    keys = list(prompts)
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]

        def on_progress(done: int, _: int, start: int = start) -> None:
            progress(start + done, len(keys))

        asked = [prompts[key] for key in batch]
        texts = respond(folder, asked, Decoding(most_tokens=MAX_TOKENS), on_progress)
        yield dict(zip(batch, texts, strict=True))


def endpoint_thinker(
    config: EndpointConfig,
    sequences: Sequences,
    evidence: Evidence,
    cache: Path,
    progress: Progress,
) -> Thinker:
    """A model behind an OpenAI-compatible endpoint; each response is kept in `cache` as it comes.

    The thinker raises what `train.evaluation.endpoint.ask` raises.
    """

    def think(moments: Sequence[Next]) -> list[Thought]:
        prompts = [instruction(one, sequences, evidence) for one in moments]
        return [parse_thought(text) for text in ask(config, prompts, 0.0, 0, cache, progress)]

    return think


def instruction(one: Next, sequences: Sequences, evidence: Evidence) -> str:
    """The question in words, for a model that reads instructions."""
    titles = [evidence.attributes.titles[sequences.items[k]] for k in one.history[-READ:]]
    return PROMPT.format(history="\n".join(f"- {title}" for title in titles))


def parse_thought(response: str) -> Thought:
    """The thought and the answer of a response."""
    thought, answer, _ = split_answer(response)
    return Thought(thought, answer)
