"""The models that can be evaluated: a model folder, by one of two engines, or an endpoint's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents.llm.request import Message
from train.evaluation.decoding import Decoding
from train.evaluation.endpoint import EndpointConfig, ask
from train.evaluation.placement import Placement
from train.tasks.base import Chat, Progress, no_progress

TURN_SEEDS = 1_000_003  # between the seeds of two turns: more than there are prompts


class HFPolicy:
    """The model of a folder, computed with transformers.

    Raises what `train.evaluation.generate.load` raises.
    """

    tool_role = "tool"

    def __init__(self, folder: Path, decoding: Decoding, placed: Placement) -> None:
        from train.evaluation import generate  # torch and transformers take seconds to import

        self._generate: Any = generate
        self._loaded = generate.load(folder, *placed)
        self._decoding = decoding

    def respond(
        self, prompts: Sequence[str | Chat], turn: int, progress: Progress = no_progress
    ) -> list[str]:
        """The next message after each prompt."""
        chats = [as_chat(prompt) for prompt in prompts]
        decoding = of_turn(self._decoding, turn)
        texts: list[str] = self._generate.continue_chats(*self._loaded, chats, decoding, progress)
        return texts

    def stream(self, chat: Chat) -> Iterator[str]:
        """The next message after a chat, piece by piece."""
        pieces: Iterator[str] = self._generate.stream_chat(*self._loaded, chat, self._decoding)
        return pieces


@dataclass(frozen=True)
class EndpointPolicy:
    """The model behind an endpoint; its answers are appended to `kept`, and taken from there."""

    endpoint: EndpointConfig
    decoding: Decoding
    kept: Path | None
    tool_role: str = "user"  # no endpoint takes a tool's message without a call in its own format

    def respond(
        self, prompts: Sequence[str | Chat], turn: int, progress: Progress = no_progress
    ) -> list[str]:
        """The next message after each prompt; raises what `ask` raises."""
        asked = [p if isinstance(p, str) else _messages(p) for p in prompts]
        how = of_turn(self.decoding, turn)
        return ask(self.endpoint, asked, how.temperature, how.seed, self.kept, progress, how.top_p)


def of_turn(decoding: Decoding, turn: int) -> Decoding:
    """The decoding with the seed of a turn, which counts from 0."""
    return replace(decoding, seed=decoding.seed + TURN_SEEDS * turn)


def as_chat(prompt: str | Chat) -> Chat:
    """A prompt as messages."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt


def _messages(chat: Chat) -> list[Message]:
    return [Message(role=message["role"], content=message["content"]) for message in chat]
