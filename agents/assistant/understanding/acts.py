"""What a whole message does: ask, more, why or who; and which of the shown items it refuses."""

import re
from functools import cache
from typing import Literal

from agents.assistant.request import Request
from agents.assistant.understanding.lexicon import vocabulary

_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
Act = Literal["ask", "more", "why", "who"]


@cache
def _pattern(act: str) -> re.Pattern[str]:
    return re.compile(vocabulary("acts")["acts"][act])


def act_of(text: str, wishes: bool, names: bool) -> Act:
    """What a message does. A message with wishes asks for them, whatever else it says; one that
    only names something may still want to know why, or who.
    """
    said = _plain(text)
    if not wishes:
        for act in ("why", "who"):
            if _pattern(act).search(said):
                return act
    if wishes or names:
        return "ask"
    return "more" if _pattern("more").search(said) else "ask"


def refused(text: str, state: Request) -> tuple[str, ...]:
    """The shown items that a message refuses."""
    said = _plain(text)
    if _pattern("seen").search(said) or _pattern("not_that").search(said):
        return meant(text, state.shown)
    return ()


def meant(text: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    """The shown items that a message means: by ordinal or number, else all of them."""
    ordinal = _pattern("ordinal").search(_plain(text))
    if ordinal is None:
        return shown
    said = ordinal[1] or ordinal[2]
    place = _PLACES[said] if said in _PLACES else int(said) - 1
    return (shown[place],) if place < len(shown) else ()


def _plain(text: str) -> str:
    return text.lower().replace("’", "'")
