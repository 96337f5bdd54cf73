"""`Policy`: a model that reasons over candidates, and what it is asked.

How it is asked, and what computes it, is its own: see `rerec.policy`.
"""

from collections.abc import Iterator
from typing import Protocol

from agents.assistant.request import Request
from agents.assistant.wording import Wording, joined
from data_engine.schema import Condition, Record


class Choice(Record):
    """What a policy is asked: the request in words, as conditions and liked items, and the
    candidates, best first.
    """

    query: str
    conditions: tuple[Condition, ...]
    anchors: tuple[str, ...]
    candidates: tuple[str, ...]


class Policy(Protocol):
    """A model that is shown a choice."""

    @property
    def name(self) -> str:
        """The model as people know it."""

    def reason(self, choice: Choice) -> Iterator[str]:
        """Its reasoning and answer, piece by piece. Raises RerecError where it fails.

        Called by several threads; an iterator that is closed stops the work.
        """


def in_words(request: Request, wording: Wording) -> str:
    """All of a request in sentences, for a policy that has not heard the dialogue."""
    wanted = [wording.wish(wish) for wish in request.wishes]
    parts = [f"I am looking for a {wording.thing}: {', '.join(wanted)}." if wanted else ""]
    if request.anchors:
        parts.append(f"I like {joined([wording.title(item) for item in request.anchors])}.")
    return " ".join(filter(None, parts)) or f"Recommend a {wording.thing}."
