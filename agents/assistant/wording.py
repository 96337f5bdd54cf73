"""Conditions, facts and corrections as a person would say them."""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agents.assistant.answer import Correction
from agents.assistant.request import Premise
from agents.assistant.understanding.lexicon import vocabulary, words_of
from agents.assistant.understanding.indexes import is_genre
from data_engine.graphs.audience import EVERYONE
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.spoken import dated_title, spoken_title
from data_engine.schema import Condition

LISTED = 3  # values of a relation that a sentence names
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
        relation = condition.relation
        if condition.op in ("below", "above"):
            return _bound(relation, condition.op).format(condition.name)
        said = self._part(relation, [self.said(relation, condition.value, condition.name)])
        return f"not {said}" if condition.op == "not" else said

    def said(self, relation: str, value: str, name: str = "") -> str:
        """A value as it is said within a sentence: "comedy", "women", "Al Pacino"."""
        name = name or self._graph.name(value)
        if is_genre(relation):
            return _lowered(name)
        if value == EVERYONE:
            return "everyone alike"
        groups = vocabulary("groups")["words"]
        return str(groups.get(name, name)).split(", ")[0]

    def part(self, item: str, relation: str, first: str = "") -> str:
        """What the catalogue says of an item's relation: "directed by X"; "" for nothing.

        first: a value to name before the others.
        """
        values = self._values(item, relation, first)
        return self._part(relation, values) if values else ""

    def fact(self, item: str, relation: str, first: str = "") -> str:
        """ "Alien was directed by Ridley Scott", or what the catalogue does not say."""
        values, title = self._values(item, relation, first), spoken_title(self._graph.title(item))
        if not values:
            return f"I do not know {_phrase(relation, 'who')}: the catalogue does not say"
        return f"{title} {_phrase(relation, 'fact').format(joined(values))}"

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

    def about(self, item: str, relations: Sequence[str]) -> str:
        """The main facts of an item: "directed by X; starring Y and Z; crime"."""
        return "; ".join(filter(None, (self.part(item, relation) for relation in relations)))

    def _part(self, relation: str, said: Sequence[str]) -> str:
        if is_genre(relation):
            return joined(said)
        return _phrase(relation, "part").format(joined(said))

    def _values(self, item: str, relation: str, first: str = "") -> list[str]:
        """The first values of a relation as they are said, and how many there are beside them."""
        values = list(self._graph.values(item, relation))
        if first in values:
            values.remove(first)
            values.insert(0, first)
        said = [self.said(relation, value) for value in values[:LISTED]]
        more = len(values) - len(said)
        return [*said, f"{more} more"] if more > 0 else said


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
