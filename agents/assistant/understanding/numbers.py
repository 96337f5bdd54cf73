"""Bounds and years: "before 1990", "a price below 20", "from the 80s", "made in 1994"."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from agents.assistant.understanding.lexicon import Lexicon, vocabulary, words_of
from agents.assistant.understanding.sides import TO, SideReader, words_before
from agents.assistant.understanding.tokens import Sentence, Token
from data_engine.graphs.inverted import InvertedGraph
from data_engine.schema import Condition, Op

_YEARS = range(1870, 2100)
_FIRST_DECADE = 1920  # "10s" are the 2010s
_IN = frozenset(("in", "from", "of", "year"))
_PARTS = {"early": slice(0, 4), "mid": slice(3, 7), "late": slice(6, 10)}  # of ten years
_OLDER: dict[str, Op] = {"older": "below", "earlier": "below", "newer": "above", "later": "above"}
_BUT = frozenset(("but", "only", "just"))
_ALONE = frozenset(("older", "newer"))  # are of a film; "later" may be of the person
_OPENING = frozenset("([")  # of the year of a title that is not known
_AND = frozenset(("and", "&"))
_JOINING = TO | _AND | {"or"}
_ABOUT = frozenset(("around", "about", "circa"))
_NEAR = 2  # years before and after "around 1990"
_THINGS = frozenset(vocabulary("cues")["marks"]["things"].split())
_DIGITS = re.compile(r"\d+")


class Bound(NamedTuple):
    """The conditions on the numbers at places at..end of a sentence, all of which must hold."""

    at: int
    conditions: tuple[Condition, ...]
    end: int

    @property
    def is_range(self) -> bool:
        """Whether there is one bound on either side."""
        return [one.op for one in self.conditions] == ["above", "below"]


class NumberReader:
    """Reads numbers of a sentence; `dated` gives the year of an item that a bound may name."""

    def __init__(self, graph: InvertedGraph, lexicon: Lexicon) -> None:
        self._sides, self._graph = SideReader(lexicon), graph
        self._numeric = {words_of(relation): relation for relation in graph.numeric}

    def read(self, sentence: Sentence) -> Iterator[Bound]:
        """The bounds in a sentence, in order."""
        end = -1
        for at, token in enumerate(sentence):
            if at <= end:
                continue
            bound: Bound | None = None
            if token.kind == "decade" or token.text in _PARTS:
                bound = self._range(sentence, at) or self._decade(sentence, at)
            elif token.kind == "number" and not _dates_a_title(sentence, at):
                bound = self._range(sentence, at) or self._number(sentence, at)
            elif token.kind == "name" and token.items and (found := self._relative(sentence, at)):
                bound = Bound(at, (found,), at)
            elif token.text in _OLDER and (found := self._than_the_title(sentence, at)):
                bound = Bound(at, (found,), at)
            if bound:
                end = bound.end
                yield bound

    def _range(self, sentence: Sentence, at: int) -> Bound | None:
        """Of "1980-1985", "from the 70s to the 90s", "between 1980 and 1985": both ends, and what
        lies between them.
        """
        relation, (first, middle) = self._numeric.get("year"), _period(sentence, at)
        last = middle + 2
        if last < len(sentence) and sentence[last].text == "the":
            last += 1
        if relation is None or last >= len(sentence):
            return None
        (later, end), to = _period(sentence, last), sentence[middle + 1].text
        if first and to == "-" and not later:
            later = _short_year(sentence[last], first[0])
        between = to in _AND and next(words_before(sentence, at), "") == "between"
        if not (first and later) or not (to in TO or between):
            return None
        ends = min(first[0], later[0]), max(first[-1], later[-1])  # whichever is said first
        return Bound(at, _between(relation, *ends), end)

    def _number(self, sentence: Sentence, at: int) -> Bound | None:
        value = sentence[at].text
        relation = self._relation(sentence, at, value)
        if not relation:
            return None
        words = words_before(sentence, at)
        word = next(words, "")
        if word == "between" and at + 2 < len(sentence):
            return Bound(at, (_bound(relation, "above", value),), at)
        if word == "and" and next(words, "") and self._side_of_pair(sentence, at):
            return Bound(at, (_bound(relation, "below", value),), at)
        if side := self._sides.read(sentence, at, at):
            if side.inclusive and value.isdecimal():
                value = str(int(value) + (1 if side.op == "below" else -1))
            return Bound(at, (_bound(relation, side.op, value),), side.end)
        if at and sentence[at - 1].text in _ABOUT and _is_year(value):
            return Bound(at, _between(relation, int(value) - _NEAR, int(value) + _NEAR), at)
        exactly = self._exactly(relation, value)
        return None if exactly is None else Bound(at, (exactly,), at)

    def _exactly(self, relation: str, value: str) -> Condition | None:
        """The condition that a number is this one, None where no item has it."""
        known = np.flatnonzero(self._graph.numbers(relation) == float(value))
        if not len(known):
            return None
        number = int(self._graph.attributes_in(relation)[known[0]])
        attribute = self._graph.arrays.attribute_ids[number]
        return Condition(relation=relation, value=attribute, name=value)

    def _side_of_pair(self, sentence: Sentence, at: int) -> bool:
        return any(token.text == "between" for token in sentence[max(0, at - 3) : at])

    def _relation(self, sentence: Sentence, at: int, value: str) -> str:
        """The relation named before the number, else that of years where it may be one."""
        for place in range(at - 1, max(-1, at - 5), -1):
            said = sentence[place].text
            two = f"{sentence[place - 1].text} {said}" if place else said
            if relation := self._numeric.get(two) or self._numeric.get(said):
                return relation
        return self._numeric.get("year", "") if _is_year(value) else ""

    def _decade(self, sentence: Sentence, at: int) -> Bound | None:
        """The ten years or a part of them ("the late 80s"), or those on a side of them: "before
        the 80s", "the 80s or later".
        """
        relation, (years, end) = self._numeric.get("year"), _period(sentence, at)
        if relation is None or not years:
            return None
        ends, side = _between(relation, years[0], years[-1]), self._sides.read(sentence, at, end)
        if side is None:
            return Bound(at, ends, end)
        if side.inclusive:
            return Bound(at, (ends[side.op == "below"],), side.end)
        edge = years[0] if side.op == "below" else years[-1]
        return Bound(at, (_bound(relation, side.op, str(edge)),), side.end)

    def _relative(self, sentence: Sentence, at: int) -> Condition | None:
        """ "newer than Heat": a bound at the year of the item."""
        op = self._sides.op(next(words_before(sentence, at), ""))
        return op and self._dated(op, sentence[at].items[0])

    def _than_the_title(self, sentence: Sentence, at: int) -> Condition | None:
        """ "like Heat but older": a bound at the year of the title before."""
        titles = [token.items[0] for token in sentence[:at] if token.items]
        if not titles or not (sentence[at].text in _ALONE or sentence[at - 1].text in _BUT):
            return None
        return self._dated(_OLDER[sentence[at].text], titles[-1])

    def _dated(self, op: Op, item: str) -> Condition | None:
        """A bound at the year of an item, None where it has not one."""
        relation = self._numeric.get("year", "")
        years = self._graph.values(item, relation)
        return _bound(relation, op, self._graph.name(years[0])) if len(years) == 1 else None


def _bound(relation: str, op: Op, value: str) -> Condition:
    return Condition(relation=relation, value=value, name=value, op=op)


def _between(relation: str, first: int, last: int) -> tuple[Condition, Condition]:
    return _bound(relation, "above", str(first - 1)), _bound(relation, "below", str(last + 1))


def _period(sentence: Sentence, at: int) -> tuple[range, int]:
    """The years that the words at a place are of, and where these end: "1982", "mid-90s"."""
    part, end = _PARTS.get(sentence[at].text), at + 1
    if part is None:
        return _years(sentence[at]), at
    said = [token.text for token in sentence[end : end + 2]]
    if said[1:] and said[0] in _JOINING and said[1] in _PARTS:  # "mid to late 90s"
        part, end = slice(part.start, _PARTS[said[1]].stop), end + 2
    while end < len(sentence) and sentence[end].text in ("-", "the"):
        end += 1
    whole = end < len(sentence) and sentence[end].kind == "decade"
    return (_years(sentence[end])[part], end) if whole else (range(0), at)


def _years(token: Token) -> range:
    """The years that a token is of: one, the ten of a decade, or none."""
    if token.kind == "number":
        return range(int(token.text), int(token.text) + 1) if _is_year(token.text) else range(0)
    if token.kind != "decade":
        return range(0)
    digits = _DIGITS.findall(token.text)[0]
    first = int(digits) if len(digits) == 4 else 1900 + int(digits)
    first += 100 if first < _FIRST_DECADE else 0
    return range(first, first + 10)


def _short_year(token: Token, first: int) -> range:
    """The year that the 85 of "1980-85" is."""
    short = token.kind == "number" and token.text.isdecimal() and len(token.text) == 2
    year = first // 100 * 100 + int(token.text) if short else 0
    return range(year, year + 1) if year >= first else range(0)


def _dates_a_title(sentence: Sentence, at: int) -> bool:
    """Of "Unknown (1995)"; not of "thrillers (1995)"."""
    if not at or sentence[at - 1].text not in _OPENING:
        return False
    before = sentence[at - 2] if at > 1 else sentence[0]
    thing = before.text in _THINGS or before.text.removesuffix("s") in _THINGS
    return at > 1 and not before.values and not thing


def _is_year(value: str) -> bool:
    return value.isdecimal() and int(value) in _YEARS


def turned(condition: Condition) -> Condition:
    """What denying a condition asks for: "nothing older than 1990" is above 1989."""
    if condition.op == "is":
        return condition.model_copy(update={"op": "not"})
    step = -1 if condition.op == "below" else 1
    bound = f"{float(condition.value) + step:g}"
    return _bound(condition.relation, "above" if step < 0 else "below", bound)
