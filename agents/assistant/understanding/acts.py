"""What a whole message does: ask, more, why or who; and which of the shown items it refuses."""

import re
from functools import cache
from typing import Literal

from agents.assistant.request import Request
from agents.assistant.understanding.lexicon import vocabulary, words_of

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


def asks_whether(text: str) -> bool:
    """Whether a message is a question that is answered with yes or no."""
    return _pattern("whether").search(_plain(text)) is not None


def asks_about_it(text: str) -> bool:
    """Whether a message asks with yes or no about what was shown: "was it directed by X?"."""
    return asks_whether(text) and _pattern("it").search(_plain(text)) is not None


def names_one(text: str) -> bool:
    """Whether a message is nothing but an ordinal: "the first one"."""
    return _pattern("only_ordinal").search(_plain(text)) is not None


def likened(text: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    """The one shown item that a message likens something to: "like the second one"."""
    said = _plain(text)
    if _pattern("ordinal").search(said) and _pattern("likeness").search(said):
        return meant(text, shown)
    return ()


def asked_among(text: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    """The shown items where a message asks about them alone: "which of these stars X?"."""
    return shown if _pattern("among").search(_plain(text)) else ()


def asked_relations(text: str, relations: tuple[str, ...]) -> tuple[str, ...]:
    """The relation that a question asks about without its word: "who is in it?", "when?"."""
    own = {words_of(relation): relation for relation in relations}
    for asked in vocabulary("acts")["asked"]:
        if re.search(asked["pattern"], _plain(text)):
            return tuple(own[name] for name in asked["relations"].split() if name in own)[:1]
    return ()


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
    return (shown[place],) if -len(shown) <= place < len(shown) else ()


def _plain(text: str) -> str:
    return text.lower().replace("’", "'")
