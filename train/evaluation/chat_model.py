"""A model folder as an engine reads it: its tokenizer, and prompts that fit into its context."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from train.evaluation.decoding import Decoding
from train.evaluation.sampling import SamplingRequest
from train.models.checks import (
    check_chat,
    check_context,
    check_round_trip,
    load_tokenizer,
)
from train.models.folder import Shape, context_of, model_folder, read_shape
from train.models.template import prompt_ids
from train.tasks.base import Chat

LEAST_TOKENS = 16  # of a response, that the context must have room for


@dataclass(frozen=True)
class ChatModel:
    """A model that can be asked; its weights are not read."""

    folder: Path
    shape: Shape
    tokenizer: Any

    @classmethod
    def open(cls, name: str) -> Self:
        """The model of a folder, or of that name on the hub.

        Raises TrainError where there is none, or one that is no chat model.
        """
        folder = model_folder(name)
        found = cls(folder, read_shape(folder), load_tokenizer(folder))
        check_chat(folder, found.tokenizer)
        check_round_trip(folder, found.tokenizer)
        return found

    def requests(self, chats: Sequence[Chat], decoding: Decoding) -> list[SamplingRequest]:
        """A request for the next message of each chat, which ends where the context does.

        Raises TrainError for a chat that the template refuses, or the context has no room for.
        """
        prompts = prompt_ids(self.tokenizer, chats)
        longest = max(map(len, prompts), default=0)
        check_context(self.folder, self.shape, self.tokenizer, longest + LEAST_TOKENS)
        context = context_of(self.shape, self.tokenizer)
        found = []
        for k, prompt in enumerate(prompts):
            room = decoding.most_tokens if context is None else context - len(prompt)
            found.append(
                SamplingRequest(
                    prompt=tuple(prompt),
                    temperature=decoding.temperature,
                    max_tokens=min(decoding.most_tokens, room),
                    seed=decoding.seed + k,
                    top_p=decoding.top_p,
                )
            )
        return found

    @property
    def padding(self) -> int:
        """The id of the token that fills up rows of a batch; it is masked, so any will do."""
        tokenizer = self.tokenizer
        pad = tokenizer.pad_token_id
        return int(tokenizer.eos_token_id if pad is None else pad)
