"""Conditions, facts and corrections as a person would say them."""

import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agents.assistant.answer import Correction
from agents.assistant.request import Premise, Wish
from agents.assistant.understanding.indexes import is_genre
from agents.assistant.understanding.lexicon import vocabulary, words_of
from data_engine.graphs.audience import EVERYONE
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.spoken import dated_title, spoken_title
from data_engine.schema import Condition

LISTED, GENRES = 2, 3  # values of a relation that a sentence names, where there are more
_YEARS = re.compile(r"from after (\d+) from before (\d+)")
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def joined(parts: Sequence[str], word: str = "and") -> str:
    """ "A, B and C"."""
    *most, last = parts or ("",)
    return f"{', '.join(most)} {word} {last}" if most else last


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


class Wording:
    """Says what one catalogue knows. `domain`: what its items are, in the plural."""

    def __init__(self, graph: InvertedGraph, domain: str) -> None:
        self._graph = graph
        things = _phrases()["things"]
        self.thing, self.things = things.get(domain, "item, items").split(", ")

    def counted(self, count: int) -> str:
        """ "no film", "one film", "43 films"."""
        word = _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"
        return f"{word} {self.thing if count == 1 else self.things}"

    def title(self, item: str) -> str:
        """ "The Haunting (1999)"."""
        return dated_title(self._graph.title(item))

    def condition(self, condition: Condition) -> str:
        """ "directed by X", "not starring X", "comedy", "from before 1990"."""
        return self.wish(Wish(condition=condition))

    def wish(self, wish: Wish) -> str:
        """A condition with those that will do as well: "directed by X or Y"."""
        condition, relation = wish.condition, wish.condition.relation
        if {"below", "above"}.intersection(c.op for c in (condition, *wish.any_of)):
            sides = (condition, *wish.any_of)
            return joined([self._side(c) for c in sides], "or")
        names = [self.said(c.relation, c.value, c.name) for c in (condition, *wish.any_of)]
        said = self._part(relation, [joined(names, "or")])
        if roles := self._roles(wish):
            said = f"{roles} {names[0]}"
        return f"not {said}" if condition.op == "not" else said

    def _side(self, condition: Condition) -> str:
        """ "from before 1990", "from 1994"."""
        if condition.op in ("below", "above"):
            return _bound(condition.relation, condition.op).format(condition.name)
        return self._part(condition.relation, [condition.name])

    def _roles(self, wish: Wish) -> str:
        """ "directed by or starring", of one value that any of several relations may have."""
        own = wish.condition
        others = [one.relation for one in wish.alternatives if one.value == own.value]
        parts = [_phrase(one, "part") for one in (own.relation, *others)]
        if wish.any_of or not others or not all(part.endswith(" {}") for part in parts):
            return ""
        return joined([part.removesuffix(" {}") for part in parts], "or")

    def described(self, wishes: Sequence[Wish], count: int) -> str:
        """ "two sci-fi films directed by X, from before 1990" of the items that meet the wishes."""
        kinds = [wish for wish in wishes if _is_kind(wish)]
        adjectives = _phrases()["before"]
        before = " ".join(adjectives.get(said, said) for said in map(self.wish, kinds))
        after = ", ".join(self._after([wish for wish in wishes if wish not in kinds]))
        number = _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"
        thing = self.thing if count == 1 else self.things
        return " ".join(filter(None, (number, before, thing, after)))

    def _after(self, wishes: Sequence[Wish]) -> Iterator[str]:
        """What is said after the noun: values of one relation together, and two bounds."""
        together: dict[tuple[str, str, int], list[Wish]] = {}
        for n, wish in enumerate(wishes):
            condition = wish.condition
            # "by X or Y" and "by or starring X" stand alone.
            alone = n + 1 if wish.any_of or self._roles(wish) else 0
            op = "bound" if condition.op in ("below", "above") else str(condition.op)
            together.setdefault((condition.relation, op, alone), []).append(wish)
        bounds_last = sorted(together.items(), key=lambda one: one[0][1] == "bound")
        for (relation, op, alone), group in bounds_last:
            if op == "bound":
                yield _merged([self.wish(wish) for wish in group])
            elif op == "is" and not alone:
                conditions = [wish.condition for wish in group]
                yield self._part(
                    relation, [self.said(relation, c.value, c.name) for c in conditions]
                )
            elif is_genre(relation):
                said = joined([self.wish(wish).removeprefix("not ") for wish in group], "or")
                yield f"that are not {said}"
            else:
                yield ", ".join(self.wish(wish) for wish in group)

    def statement(self, condition: Condition) -> str:
        """ "was directed by X", of an item that meets a condition of a value."""
        said = self.said(condition.relation, condition.value, condition.name)
        return _phrase(condition.relation, "fact").format(said)

    def stated(self, item: str, relation: str) -> str:
        """ "was directed by X", of all values; "" where none is known."""
        values = self._values(item, relation)
        return _phrase(relation, "fact").format(joined(values)) if values else ""

    def said(self, relation: str, value: str, name: str = "") -> str:
        """A value as it is said within a sentence: "comedy", "women", "Al Pacino"."""
        name = name or self._graph.name(value)
        if is_genre(relation):
            return str(_phrases()["said"].get(name.lower(), _lowered(name)))
        if value == EVERYONE:
            return "everyone alike"
        groups = vocabulary("groups")["words"]
        return str(groups.get(name, name)).split(", ")[0]

    def part(self, item: str, relation: str, first: Collection[str] = ()) -> str:
        """What the catalogue says of an item's relation: "directed by X"; "" for nothing.

        first: the values to name before the others.
        """
        values = self._values(item, relation, first)
        return self._part(relation, values) if values else ""

    def fact(self, item: str, relation: str) -> str:
        """ "Alien was directed by Ridley Scott.", or that the catalogue does not say."""
        values, title = self._values(item, relation), spoken_title(self._graph.title(item))
        if not values:
            return f"Of {title} the catalogue does not say {_phrase(relation, 'who')}."
        return f"{title} {_phrase(relation, 'fact').format(joined(values))}."

    def not_known(self, relation: str) -> str:
        """ "not known who directed it"."""
        return f"not known {_phrase(relation, 'who')}"

    def correction(self, premise: Premise) -> Correction:
        """A statement held against the catalogue, in a sentence."""
        title, relation = spoken_title(self._graph.title(premise.item)), premise.relation
        said = self.said(relation, premise.value, premise.name)
        phrase = _phrase(relation, "fact")
        truth = joined(self._values(premise.item, relation))
        if premise.verdict == "unknown":
            text = (
                f"I cannot say whether {title} {phrase.format(said)}: "
                f"the catalogue does not say {_phrase(relation, 'who')}."
            )
        elif premise.verdict == "false" and premise.holds:
            text = f"{title} {phrase.format(truth)}, not {said}."
        elif premise.verdict == "false":
            text = f"{title} {phrase.format(said)} after all."
        elif premise.holds:
            text = f"Yes, {title} {phrase.format(said)}."
        else:
            text = f"Right, {title} {phrase.format(truth)}, not {said}."
        return Correction(
            item=premise.item, title=self.title(premise.item), verdict=premise.verdict, text=text
        )

    def values(self, edges: Sequence[tuple[str, str]]) -> list[str]:
        """ "directed by X and Y" of (relation, value) pairs, those of a relation together."""
        by_relation: dict[str, list[str]] = {}
        for relation, value in edges:
            by_relation.setdefault(relation, []).append(self.said(relation, value))
        return [self._part(relation, said) for relation, said in by_relation.items()]

    def _part(self, relation: str, said: Sequence[str]) -> str:
        if is_genre(relation):
            return joined(said)
        return _phrase(relation, "part").format(joined(said))

    def _values(self, item: str, relation: str, first: Collection[str] = ()) -> list[str]:
        """The values of a relation as they are said; of many only the first, and "others"."""
        values = sorted(self._graph.values(item, relation), key=lambda value: value not in first)
        most = GENRES if is_genre(relation) else LISTED
        said = [self.said(relation, value) for value in values]
        return said if len(said) <= most + 1 else [*said[:most], "others"]


def _is_kind(wish: Wish) -> bool:
    return is_genre(wish.condition.relation) and wish.condition.op == "is"


def _merged(sides: list[str]) -> str:
    """ "from the 1990s" of "from after 1989" and "from before 2000", else both sides."""
    both = _YEARS.fullmatch(" ".join(sorted(sides)))
    if both is None:
        return ", ".join(sides)
    first, last = int(both[1]) + 1, int(both[2]) - 1
    if first % 10 == 0 and last == first + 9:
        return f"from the {first}s"
    return f"from {first}" if first == last else f"from {first} to {last}"


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))


def _phrase(relation: str, form: str) -> str:
    word = words_of(relation)
    own = _phrases()["relations"].get(word)
    if own:
        return str(own[form])
    return str(_phrases()["generic"][form].format(relation=word))


def _bound(relation: str, op: str) -> str:
    word, bounds = words_of(relation), _phrases()["bounds"]
    own = bounds.get(word)
    return str(own[op]) if own else str(bounds["generic"][op].format(relation=word))


def _lowered(name: str) -> str:
    """A genre within a sentence: "comedy", "film-noir"; "IMAX" and "Sci-Fi" become "IMAX" and
    "sci-fi".
    """
    return name if name.isupper() else name.lower()
