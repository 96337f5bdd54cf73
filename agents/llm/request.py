"""Records of one question to a model, its reply, and the call that it took."""

from dataclasses import dataclass, replace
from typing import TypedDict


class Message(TypedDict):
    """One message of a chat, as the API has it."""

    role: str
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """One question to a model.

    key: name of the answer in the cache, a digest of all that decides it.
    role: who is asked, in the caller's words; it names the calls in accounts and errors.
    seed: of the model's sampling, where the endpoint offers that.
    top_p: mass of the most probable tokens that are drawn from; None leaves it to the endpoint.
    """

    key: str
    role: str
    model: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    seed: int | None = None
    top_p: float | None = None

    def followed_by(self, *messages: Message) -> "ChatRequest":
        """The same request with more messages at its end."""
        return replace(self, messages=(*self.messages, *messages))


@dataclass(frozen=True)
class Reply:
    """What the model said; `refused` when it or a filter declined, with `text` as its reason."""

    text: str
    refused: bool


@dataclass(frozen=True)
class Call:
    """One HTTP call as a ledger stores it; status is ok, or the name of what went wrong."""

    role: str
    model: str
    tokens_in: int
    tokens_out: int
    money: float
    seconds: float
    status: str
