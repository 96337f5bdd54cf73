"""The OpenAI chat API as far as the assistant speaks it.

What steers a language model (temperature, tools, seed, …) is taken and has no effect: the same
dialogue always has the same answer.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.assistant.answer import Message, readable
from agents.assistant.assistant import LONGEST, LONGEST_ANSWER
from agents.assistant.server.config import MOST_MESSAGES
from agents.assistant.server.problems import Unusable
from agents.assistant.server.side_prompts import is_side_prompt

MODEL = "rerec"
SPEAKERS = ("user", "assistant")
_PIECES = re.compile(r"\w+|[^\w\s]")


class _Taken(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ContentPart(_Taken):
    """A part of a message; only text is read."""

    type: str
    text: str = ""


class ChatMessage(_Taken):
    """A message of a dialogue. Those of system, developer and tools are not read."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        """The text. Raises Unusable for anything else, such as an image."""
        if not isinstance(self.content, list):
            return readable(self.content or "")
        for part in self.content:
            if part.type not in ("text", "input_text", "refusal"):
                raise Unusable(f"only text is read, no {part.type[:50]}", "messages")
        return readable("\n".join(part.text for part in self.content))

    def spoken(self) -> Message:
        """The message as it is read. Raises Unusable for a person's that is too long."""
        text = self.text()
        if self.role != "user":
            return Message(role="assistant", content=text[:LONGEST_ANSWER])
        if len(text) > LONGEST and not is_side_prompt(text):
            said = f"a message of {len(text)} characters: at most {LONGEST} are read"
            raise Unusable(said, "messages", "context_length_exceeded")
        return Message(role="user", content=text)


class StreamOptions(_Taken):
    """include_usage: a last chunk with the usage."""

    include_usage: bool = False


class Format(_Taken):
    """The form of the answer."""

    type: str = "text"


class ChatRequest(_Taken):
    """POST /v1/chat/completions."""

    model: Annotated[str, Field(max_length=200)] = MODEL
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MOST_MESSAGES)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    response_format: Format | None = None

    def check(self) -> None:
        """Raise Unusable for what cannot be had."""
        if self.model != MODEL:
            known = f"the model {self.model[:100]!r} does not exist: there is {MODEL!r}"
            raise Unusable(known, "model", "model_not_found", code=404)
        if self.n not in (None, 1):
            raise Unusable("n: only one answer is given to a dialogue", "n")
        if self.response_format and self.response_format.type != "text":
            asked = self.response_format.type[:50]
            raise Unusable(f"no {asked} here: POST /v1/recommend gives JSON", "response_format")

    def dialogue(self) -> list[Message]:
        """The messages of person and assistant. Raises Unusable where the last is not the
        person's, or one of the person's is too long; the assistant's are cut short.
        """
        found = [message.spoken() for message in self.messages if message.role in SPEAKERS]
        if not found or found[-1].role != "user":
            raise Unusable("the last message must be the user's", "messages")
        return found


class Usage(BaseModel):
    """Words and marks of dialogue and answer; what a policy reads and writes is not counted."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, dialogue: list[Message], answer: str) -> "Usage":
        """The usage of an answer."""
        asked = sum(len(_PIECES.findall(message.content)) for message in dialogue)
        answered = len(_PIECES.findall(answer))
        return cls(prompt_tokens=asked, completion_tokens=answered, total_tokens=asked + answered)


class Choice(BaseModel):
    """The answer."""

    index: int = 0
    message: dict[str, Any]
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class Completion(BaseModel):
    """What is answered at once."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: Usage


class Model(BaseModel):
    """A model, as the API lists them."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "rerec"


class Models(BaseModel):
    """GET /v1/models."""

    object: Literal["list"] = "list"
    data: list[Model]
