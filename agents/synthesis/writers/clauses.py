"""Conditions as clauses: each relation with phrases of its own, or the generic ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from agents.synthesis.writers.realiser import Names, fill
from data_engine.schema import Condition

_PROPER = ("ish", "an", "ese", "ch")  # British, American, Japanese, French


def lowered(name: str) -> str:
    """A genre or format as it stands within a sentence."""
    first = name.split(" ", maxsplit=1)[0]
    if first.endswith(_PROPER) or sum(map(str.isupper, first)) > 1 and "-" not in first:
        return name
    return name.lower() if "-" in first else first.lower() + name[len(first) :]


@dataclass(frozen=True)
class Clauses:
    """Draws clauses for the conditions of one request.

    words: the relations and things of the phrases. thing: what an item is called here.
    """

    words: Mapping[str, Any]
    names: Names
    thing: str
    rng: Random

    def draw(self, condition: Condition, form: str) -> str:
        """A phrase of this form ("post", "also", "fan" …) with the condition's name in it."""
        entry = self.entry(condition.relation)
        if condition.op in ("below", "above") and form in ("post", "short", "also"):
            phrases = self._bound(condition)
            if form == "also":
                phrases = [f"be {p}" for p in phrases if p.startswith(("from", "made", "older"))]
                phrases = phrases or ["have @ {maker} " + f"{condition.op} {{name}}"]
        elif condition.op == "not" and form in ("post", "short"):
            phrases = entry["no"]
        else:
            phrases = entry[form]
        return fill(self.rng.choice(phrases), self._slots(condition.relation, condition.name))

    def noun(self, relation: str) -> str:
        """What a relation's value is called."""
        return fill(self.entry(relation)["noun"], self._slots(relation, ""))

    def head(self, genre: str, thing: str) -> str:
        """ "comedy", "war film", "film in the gothic novel genre"."""
        word, genres = lowered(genre), self.words["genres"]
        if word in genres["nouns"]:
            return self.names.add(word)
        if word in genres["adjectives"]:
            return f"{self.names.add(word)} {thing}"
        if word == "children":
            return f"{self.names.add(word)}'s {thing}"
        return f"{thing} in the {self.names.add(word)} genre"

    def entry(self, relation: str) -> Mapping[str, Any]:
        """The phrases of a relation."""
        if is_genre(relation):
            return dict(self.words["genre"])
        own = self.words.get(relation)
        if isinstance(own, dict) and "post" in own:
            return own
        return dict(self.words["maker" if relation in self.words["done"] else "generic"])

    def _bound(self, condition: Condition) -> list[str]:
        bounds = self.words["bounds"]
        return list(bounds.get(f"{condition.relation}_{condition.op}", bounds[condition.op]))

    def _slots(self, relation: str, name: str) -> dict[str, str]:
        said = lowered(name) if is_genre(relation) or relation == "media type" else name
        maker = relation.replace("_", " ").removesuffix(" by")
        return {
            "name": self.names.add(said),
            "kind": f"@ {self.head(name, self.thing)}" if is_genre(relation) else "",
            "maker": maker,
            "done": self.words["done"].get(relation, maker),
        }


def is_genre(relation: str) -> bool:
    """Whether values are genres: "genre", "literary genre"."""
    return relation.split("_")[-1].split(" ")[-1] == "genre"
