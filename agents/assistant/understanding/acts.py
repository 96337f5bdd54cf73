"""What a whole message does: ask, more, why or who; and which of the shown items it refuses."""

import re
from functools import cache
from typing import Literal

from agents.assistant.request import Request
from agents.assistant.understanding.lexicon import vocabulary

_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}


@cache
def _pattern(act: str) -> re.Pattern[str]:
    return re.compile(vocabulary("acts")["acts"][act])


def act_of(
    text: str, state: Request, asks: bool
) -> tuple[Literal["ask", "more", "why", "who"], tuple[str, ...]]:
    """The act of a message, and the shown items that it refuses.

    asks: whether the message names something that it asks for; then it asks, whatever else it says.
    """
    said = text.lower().replace("’", "'")
    refused: tuple[str, ...] = ()
    if state.shown and (_pattern("seen").search(said) or _pattern("not_that").search(said)):
        refused = _meant(said, state.shown)
    if asks:
        return "ask", refused
    if _pattern("why").search(said):
        return "why", refused
    if _pattern("who").search(said):
        return "who", refused
    return ("more" if _pattern("more").search(said) else "ask"), refused


def _meant(said: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    """The shown items that are meant: by ordinal, else all of them."""
    ordinal = _pattern("ordinal").search(said)
    if ordinal is None:
        return shown
    place = _PLACES[ordinal[1]]
    return (shown[place],) if place < len(shown) else ()
