"""How many items are wanted: "give me three", "five comedies", "a couple of books"."""

import re
from typing import NamedTuple

MOST = 100  # items that an answer shows
_WORDS = "one two three four five six seven eight nine ten".split()
_COUNT = rf"({'|'.join(_WORDS[1:])}|a couple of|\d{{1,3}})"  # "find me one" asks for any
_THINGS = (
    r"(?:films?|movies?|books?|albums?|songs?|games?|products?|items?|titles?|suggestions?"
    r"|recommendations?|options?|ideas?)"
)
_ASKED = (
    r"\b(?:give|show|get|tell|find|recommend|suggest|list|name|pick)(?: me| us)?(?: the)?"
    rf"(?: top| best)? {_COUNT}\b(?! of the)",
    rf"\btop {_COUNT}\b",
    r"\b(?:just|only) (one)\b",
    rf"\b(?:give|show|get|list|name|pick)(?: me| us)? (one) (?:\S+ ){{0,2}}{_THINGS}\b",
    rf"\b{_COUNT} (?:\S+ ){{0,2}}{_THINGS}\b",
)
_PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _ASKED)


class Amount(NamedTuple):
    """A number of items, and where it is said."""

    number: int
    span: tuple[int, int]


def wanted_amount(text: str) -> Amount | None:
    """The number of items that a message asks for, None where it does not say."""
    found = next(filter(None, (pattern.search(text) for pattern in _PATTERNS)), None)
    if found is None:
        return None
    said = found[1].lower()
    if said in _WORDS:
        return Amount(_WORDS.index(said) + 1, found.span(1))
    count = min(int(said), MOST) if said.isdecimal() else 2
    return Amount(count, found.span(1)) if count else None
