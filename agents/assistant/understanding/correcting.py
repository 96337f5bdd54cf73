"""A message that corrects the one before it, and one that answers what was asked back."""

import re
from collections.abc import Callable

from agents.assistant.request import Doubt, Request
from agents.assistant.understanding.acts import meant, names_one

_MEANT = r"(?:i (?:mean|meant)|sorry|wait|rather|make (?:it|that))\b"
_CORRECTS = re.compile(
    rf"^\W*(?:(?:no|nope)(?:\s*[,.!–-]|\s+{_MEANT})|(?:oops|actually)\b|{_MEANT})|\binstead\W*$",
    re.IGNORECASE,
)
_ADDS = re.compile(r"\b(?:also|too|as well|additionally|besides)\b", re.IGNORECASE)
_ONE = re.compile(
    r"^\W*(?:(?:no|yes|i (?:mean|meant)|it's|the|that|one|film|movie|book|from|of|in)\W+)*"
    r"(\d{4})(?:\W+(?:one|film|movie|book|version))?\W*$",
    re.IGNORECASE,
)


def corrects(text: str) -> bool:
    """Whether what a message asks for takes the place of what was asked: "no, X", "X instead"."""
    return bool(_CORRECTS.search(text)) and not _ADDS.search(text)


def settled(
    text: str, named: tuple[str, ...], state: Request, year: Callable[[str], str]
) -> Request | None:
    """The state where a message says which of the items of a doubt is meant, by title, year or
    ordinal; None where it does not. named: the items of a message that is nothing but a title.
    """
    for doubt in state.doubts:
        if item := _chosen(text, named, doubt, year):
            left = tuple(one for one in state.doubts if one != doubt)
            refused = any(one in state.exclusions for one in doubt.items)
            for one in doubt.items:
                state = state.without_item(one)
            state = state.excluding(item) if refused else state.with_anchors(item)
            return state.model_copy(update={"doubts": left})
    return None


def _chosen(
    text: str, named: tuple[str, ...], doubt: Doubt, year: Callable[[str], str]
) -> str | None:
    dated = _ONE.match(text)
    if dated:
        found = [item for item in doubt.items if year(item) == dated[1]]
    elif names_one(text):
        found = list(meant(text, doubt.items))
    else:
        found = [item for item in named if item in doubt.items]
    return found[0] if len(found) == 1 else None
