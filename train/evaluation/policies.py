"""The models that can be evaluated: a model folder, or a model behind an endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.llm.request import Message
from train.evaluation.endpoint import EndpointConfig, ask
from train.tasks.base import Chat, Progress, no_progress

TURN_SEEDS = 1_000_003  # between the seeds of two turns: more than there are Examples


class FolderPolicy:
    """The model of a folder; a response ends after `most_tokens` if it has not ended by itself.

    Raises TrainError for a folder without a model.
    """

    tool_role = "tool"

    def __init__(self, folder: Path, temperature: float, most_tokens: int, seed: int) -> None:
        from train.evaluation import generate  # torch and transformers take seconds to import

        self._generate: Any = generate
        self._model, self._tokenizer = generate.load(folder)
        self._sampling, self._seed = (temperature, most_tokens), seed

    def respond(
        self, prompts: Sequence[str | Chat], turn: int, progress: Progress = no_progress
    ) -> list[str]:
        """The next message after each prompt."""
        seed = self._seed + TURN_SEEDS * turn
        chats = [_chat(prompt) for prompt in prompts]
        texts: list[str] = self._generate.continue_chats(
            self._model, self._tokenizer, chats, *self._sampling, seed, progress
        )
        return texts


@dataclass(frozen=True)
class EndpointPolicy:
    """The model behind an endpoint; its answers are appended to `kept`, and taken from there."""

    endpoint: EndpointConfig
    temperature: float
    seed: int
    kept: Path | None
    tool_role: str = "user"  # no endpoint takes a tool's message without a call in its own format

    def respond(
        self, prompts: Sequence[str | Chat], turn: int, progress: Progress = no_progress
    ) -> list[str]:
        """The next message after each prompt; raises what `ask` raises."""
        seed = self.seed + TURN_SEEDS * turn
        asked = [p if isinstance(p, str) else _messages(p) for p in prompts]
        return ask(self.endpoint, asked, self.temperature, seed, self.kept, progress)


def _messages(chat: Chat) -> list[Message]:
    return [Message(role=message["role"], content=message["content"]) for message in chat]


def _chat(prompt: str | Chat) -> Chat:
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
