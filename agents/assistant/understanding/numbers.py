"""Bounds and years: "before 1990", "a price below 20", "from the 80s", "made in 1994"."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from agents.assistant.understanding.lexicon import Lexicon, words_of
from agents.assistant.understanding.tokens import Sentence
from data_engine.graphs.inverted import InvertedGraph
from data_engine.schema import Condition, Op

_YEARS = range(1870, 2100)
_IN = frozenset(("in", "from", "of", "year"))
_SKIPPED = frozenset(("-", "the", "year", "than", "a", "'"))
_TO = frozenset(("-", "–", "to", "until", "through", "till"))
_INCLUSIVE = frozenset(("since", "until"))
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
        self._lexicon, self._graph = lexicon, graph
        self._numeric = {words_of(relation): relation for relation in graph.numeric}

    def read(self, sentence: Sentence) -> Iterator[Bound]:
        """The bounds in a sentence, in order."""
        end = -1
        for at, token in enumerate(sentence):
            if at <= end:
                continue
            if token.kind == "decade":
                if conditions := self._decade(token.text):
                    yield Bound(at, conditions, at)
            elif at and sentence[at - 1].text in "([":  # the year of a title that is not known
                continue
            elif token.kind == "number":
                if between := self._range(sentence, at):
                    end = between.end
                    yield between
                elif found := self._number(sentence, at):
                    yield Bound(at, (found,), at)
            elif token.kind == "name" and token.items and (found := self._relative(sentence, at)):
                yield Bound(at, (found,), at)

    def _range(self, sentence: Sentence, at: int) -> Bound | None:
        """Of "1980-1985", "from 1980 to 1985", "between 1980 and 1985": both ends are meant."""
        if at + 2 >= len(sentence) or sentence[at + 2].kind != "number":
            return None
        first, second = sentence[at].text, sentence[at + 2].text
        between = at > 0 and sentence[at - 1].text == "between"
        if not (_is_year(first) and _is_year(second)):
            return None
        if sentence[at + 1].text not in _TO and not (between and sentence[at + 1].text == "and"):
            return None
        relation = self._numeric.get("year")
        if relation is None or int(first) > int(second):
            return None
        return Bound(at, _between(relation, int(first), int(second)), at + 2)

    def _number(self, sentence: Sentence, at: int) -> Condition | None:
        words = self._words_before(sentence, at)
        value = sentence[at].text
        relation = self._relation(sentence, at, value)
        if not relation:
            return None
        word = next(words, "")
        if word == "between" and at + 2 < len(sentence):
            return _bound(relation, "above", value)
        if word == "and" and next(words, "") and self._side_of_pair(sentence, at):
            return _bound(relation, "below", value)
        if op := self._side(word):
            if word in _INCLUSIVE and _is_year(value):
                value = str(int(value) + (1 if op == "below" else -1))
            return _bound(relation, op, value)
        return self._exactly(relation, value)

    def _exactly(self, relation: str, value: str) -> Condition | None:
        """The condition that a number is this one, None where no item has it."""
        known = np.flatnonzero(self._graph.numbers(relation) == float(value))
        if not len(known):
            return None
        number = int(self._graph.attributes_in(relation)[known[0]])
        attribute = self._graph.arrays.attribute_ids[number]
        return Condition(relation=relation, value=attribute, name=value)

    def _side(self, word: str) -> Op | None:
        if self._lexicon.is_(word, "before"):
            return "below"
        return "above" if self._lexicon.is_(word, "after") else None

    def _side_of_pair(self, sentence: Sentence, at: int) -> bool:
        return any(token.text == "between" for token in sentence[max(0, at - 3) : at])

    def _words_before(self, sentence: Sentence, at: int) -> Iterator[str]:
        for place in range(at - 1, -1, -1):
            if sentence[place].text not in _SKIPPED:
                yield sentence[place].text

    def _relation(self, sentence: Sentence, at: int, value: str) -> str:
        """The relation named before the number, else that of years where it may be one."""
        for place in range(at - 1, max(-1, at - 5), -1):
            said = sentence[place].text
            two = f"{sentence[place - 1].text} {said}" if place else said
            if relation := self._numeric.get(two) or self._numeric.get(said):
                return relation
        return self._numeric.get("year", "") if _is_year(value) else ""

    def _decade(self, text: str) -> tuple[Condition, ...]:
        relation, digits = self._numeric.get("year"), _DIGITS.findall(text)[0]
        if relation is None:
            return ()
        first = int(digits) if len(digits) == 4 else 1900 + int(digits)
        first += 100 if first < 1920 else 0
        return _between(relation, first, first + 9)

    def _relative(self, sentence: Sentence, at: int) -> Condition | None:
        """ "newer than Heat": a bound at the year of the item."""
        op, relation = self._side(next(self._words_before(sentence, at), "")), "year"
        years = self._graph.values(sentence[at].items[0], self._numeric.get(relation, ""))
        if op is None or len(years) != 1:
            return None
        return _bound(self._numeric[relation], op, self._graph.name(years[0]))


def _bound(relation: str, op: Op, value: str) -> Condition:
    return Condition(relation=relation, value=value, name=value, op=op)


def _between(relation: str, first: int, last: int) -> tuple[Condition, Condition]:
    return _bound(relation, "above", str(first - 1)), _bound(relation, "below", str(last + 1))


def _is_year(value: str) -> bool:
    return value.isdecimal() and int(value) in _YEARS


def turned(condition: Condition) -> Condition:
    """What denying a condition asks for: "nothing older than 1990" is above 1989."""
    if condition.op == "is":
        return condition.model_copy(update={"op": "not"})
    step = -1 if condition.op == "below" else 1
    bound = f"{float(condition.value) + step:g}"
    return _bound(condition.relation, "above" if step < 0 else "below", bound)
