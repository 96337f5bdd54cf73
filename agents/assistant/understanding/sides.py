"""Which side of a number is meant: "before 1990", "since the 80s", "1990 or later"."""

from collections.abc import Iterator
from typing import NamedTuple

from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.tokens import Sentence
from data_engine.schema import Op

_SKIPPED = frozenset(("-", "the", "year", "years", "than", "a", "'"))
_INCLUSIVE = frozenset(("since", "until"))
_WITHIN = frozenset("in during on of from".split())  # "in or after 1990"
_NOW = frozenset("today now present".split())
_OR = frozenset(("or", "and"))
_UP = frozenset("later newer more up onward onwards on beyond earliest +".split())
_DOWN = frozenset("earlier older latest".split())
# Without "or": "from 1990 on", "1990 at the latest".
_ALONE = frozenset("onward onwards on latest earliest +".split())
_BOUNDS = frozenset("newer older up onward onwards beyond +".split())  # that tell no story
_FIGURES = frozenset(("number", "decade"))
TO = frozenset(("-", "–", "to", "until", "through", "till"))


class Side(NamedTuple):
    """above or below a number, with or without the number itself; the words end at `end`."""

    op: Op
    inclusive: bool
    end: int


class SideReader:
    """Reads the words beside a number; `lexicon` says which of them are a side."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def read(self, sentence: Sentence, at: int, end: int) -> Side | None:
        """The side of the number or decade at places at..end that the words beside it say."""
        word, join, other, *_ = *words_before(sentence, at), "", "", ""
        if word == "=" and (op := self.op(join)):  # ">= 1990"
            return Side(op, True, end)
        if op := self.op(word):
            both = join in _OR and other in _WITHIN
            return Side(op, word in _INCLUSIVE or both, end)
        if word in _WITHIN and join in _OR and (op := self.op(other)):  # "before or in 1990"
            return Side(op, True, end)
        return self._until_now(sentence, end) or self._after(sentence, end)

    def _until_now(self, sentence: Sentence, at: int) -> Side | None:
        """Of "from 1990 to today", "1990 until the present"."""
        said = [token.text for token in sentence[at + 1 : at + 5]]
        if not said or said[0] not in TO:
            return None
        now = next((k for k, word in enumerate(said) if k and word != "the"), 0)
        return Side("above", True, at + 1 + now) if said[now] in _NOW else None

    def op(self, word: str) -> Op | None:
        """The side that a word before a number says."""
        if self._lexicon.is_(word, "before"):
            return "below"
        return "above" if self._lexicon.is_(word, "after") else None

    def _after(self, sentence: Sentence, at: int) -> Side | None:
        """Of "1990 or later", "the 80s onwards", "1990+"; not of "1980 or after 1990"."""
        place = at + 1
        if [token.text for token in sentence[place : place + 2]] == [",", "or"]:
            place += 1
        joined = place < len(sentence) and sentence[place].text in _OR
        place += joined
        if place >= len(sentence) or not self._ends_at(sentence, place):
            return None
        word = sentence[place].text
        if not joined and word not in _ALONE:
            return None
        op = "above" if word in _UP else "below" if word in _DOWN else self.op(word)
        return Side(op, True, place) if op else None

    def _ends_at(self, sentence: Sentence, place: int) -> bool:
        """Whether what follows a word of a side is nothing that the side could be of."""
        word, rest = sentence[place].text, sentence[place + 1 :]
        following = next((token for token in rest if token.text not in _SKIPPED), None)
        if following is None or following.kind == "mark":
            return True
        if word == "on" or (sentence[place - 1].text == "and" and word not in _BOUNDS):
            return False  # "1990 on a boat", "1990 and later I saw Heat"
        return following.kind not in _FIGURES and not (self.op(word) and following.items)


def words_before(sentence: Sentence, at: int) -> Iterator[str]:
    """The words before a place, the nearest first, without articles and the like."""
    for place in range(at - 1, -1, -1):
        if sentence[place].text not in _SKIPPED:
            yield sentence[place].text
