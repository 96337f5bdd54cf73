"""Conditions as clauses: each relation with phrases of its own, or the generic ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from agents.synthesis.writers.realiser import Names, fill, joined
from data_engine.schema import Condition

_PROPER = ("ish", "an", "ese", "ch")  # British, American, Japanese, French
_PARTICLES = frozenset("da de del den der di du la le mac st. ten van von".split())
_PLAIN = re.compile(r"[\w'-]+( [\w'-]+){0,2}")
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|[_ ]+")


def words_of(relation: str) -> str:
    """ "literary genre" of "literaryGenre" or "literary_genre", "published" of "published_by"."""
    return " ".join(_WORD.split(relation)).lower().removesuffix(" by")


def is_genre(relation: str) -> bool:
    """Whether values are genres: "genre", "literary genre"."""
    return words_of(relation).split(" ")[-1] == "genre"


def lowered(name: str) -> str:
    """A genre or format as it stands within a sentence."""
    first = name.split(" ", maxsplit=1)[0]
    if first.endswith(_PROPER) or sum(map(str.isupper, first)) > 1 and "-" not in first:
        return name
    return name.lower() if "-" in first else first.lower() + name[len(first) :]


@dataclass(frozen=True)
class Clauses:
    """Draws clauses for the conditions of one request.

    words: all phrases. thing, many: what an item is called here, and several.
    """

    words: Mapping[str, Any]
    names: Names
    thing: str
    many: str
    rng: Random

    def draw(self, condition: Condition, form: str) -> str:
        """A phrase of this form ("part", "also", "fan" …) with the condition's name in it.

        Raises IndexError where the relation has no phrase of the form.
        """
        return self.of(condition.relation, condition.op, form, [condition.name])

    def of(self, relation: str, op: str, form: str, names: list[str], many: bool = False) -> str:
        """As `draw`, for several values of a relation at once. many: it is said of many things."""
        phrase = self.rng.choice(self.entry(relation, op)[form])
        slots = self._slots(relation, names) | {"it": "them" if many else "it"}
        return fill(phrase, slots)

    def filled(self, phrase: str, relation: str) -> str:
        """A phrase of a relation without a name in it."""
        return fill(phrase, self._slots(relation, []))

    def noun(self, relation: str) -> str:
        """What a relation's value is called."""
        return self.entry(relation)["noun"].format(maker=words_of(relation))

    def head(self, genre: str, many: bool = False) -> str:
        """ "comedy", "war film", "film in the gothic novel genre"; or several of them."""
        word, genres = lowered(genre), self.words["genres"]
        thing = self.many if many else self.thing
        if word in genres["nouns"]:
            return self.names.add(word) if not many else _plural(self.names, word)
        if word.split()[-1] == self.thing:
            return _plural(self.names, word) if many else self.names.add(word)
        if _PLAIN.fullmatch(word):
            return f"{self.names.add(genres['said'].get(word, word))} {thing}"
        return f"{thing} in the {self.names.add(word)} genre"

    def entry(self, relation: str, op: str = "is") -> Mapping[str, Any]:
        """The phrases of a relation, or of a bound on it."""
        word = words_of(relation)
        if op in ("below", "above"):
            bounds = self.words["bounds"]
            return dict(bounds.get(f"{word}_{op}", bounds[op]))
        if is_genre(relation):
            return dict(self.words["genre"])
        own = self.words.get(word)
        if isinstance(own, dict) and "part" in own:
            return own
        return dict(self.words["maker" if word in self.words["done"] else "generic"])

    def said(self, relation: str, name: str) -> str:
        """A name within a sentence: genres and formats in lower case."""
        common = is_genre(relation) or words_of(relation) == "media type"
        return self.names.add(lowered(name) if common else _with_article(name))

    def _slots(self, relation: str, names: list[str]) -> dict[str, str]:
        word = words_of(relation)
        slots = {
            "maker": word,
            "done": self.words["done"].get(word, word),
            "both": "{both}",
            "many": self.many,
            "thing": self.thing,
        }
        if not names:
            return slots
        if is_genre(relation):
            head, heads = self.head(names[0]), self.head(names[0], many=True)
            return slots | {
                "name": self.said(relation, names[0]),
                "head": head,
                "kind": f"@ {head}",
                "kinds": heads,
            }
        slots["name"] = joined([self.said(relation, name) for name in names])
        slots["last"] = joined([self.names.add(last_name(_with_article(name))) for name in names])
        return slots


def _plural(names: Names, word: str) -> str:
    """ "comedies", "westerns", "mysteries"; "films-noir" is said "film-noir pictures"."""
    if word == "film-noir":
        return f"{names.add(word)} pictures"
    return names.add(word[:-1] + "ies" if word.endswith("y") else word + "s")


def last_name(name: str) -> str:
    """ "Newman", "De Niro", "Downey"; all of a name of one word or with an article."""
    words = [w for w in name.split(" ") if w.strip(".,") not in ("Jr", "Sr", "II", "III")]
    if len(words) < 2 or words[0] == "the":
        return name
    particle = len(words) > 2 and words[-2].lower() in _PARTICLES
    return " ".join(words[-2:] if particle else words[-1:]).rstrip(",")


def _with_article(name: str) -> str:
    """ "the Coen brothers"."""
    return f"the {name}" if name.lower().endswith((" brothers", " sisters")) else name
