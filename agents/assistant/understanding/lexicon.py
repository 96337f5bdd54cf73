"""The words of requests, from `cues.toml`, as one catalogue can use them."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|[_ ]+")
RELATIONS = 4096  # whose words are kept
SHORTEST = 5  # letters of a word that is also read with a typing mistake


@cache
def vocabulary(name: str) -> dict[str, Any]:
    """A file of words beside this one, parsed."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(RELATIONS)
def words_of(relation: str) -> str:
    """ "literary genre" of "literaryGenre" or "literary_genre"."""
    return " ".join(_HUMP.split(relation)).lower().removesuffix(" by")


class Lexicon:
    """What words mean: `relation[word]` are the relations that it may be said of, `marks[name]` the
    words that do something, `by` and `with_` the relations of a bare preposition.
    """

    def __init__(self, relations: Iterable[str]) -> None:
        cues, relations = vocabulary("cues"), tuple(relations)
        self.relation = _relation_words(relations, cues["relations"])
        self.marks = {name: frozenset(said.split()) for name, said in cues["marks"].items()}
        own = {words_of(relation): relation for relation in relations}
        self.by = tuple(own[name] for name in cues["by"]["relations"].split() if name in own)
        self.with_ = tuple(own[name] for name in cues["with"]["relations"].split() if name in own)
        self.prominence = {own[n]: w for n, w in cues["prominence"].items() if n in own}
        self.phrases = {tuple(said.split()): meant for said, meant in cues["phrases"].items()}
        self.starts = frozenset(said[0] for said in self.phrases)
        self.fillers = frozenset(vocabulary("fillers")["words"].split())
        known = {*self.relation, *self.fillers}.union(*self.marks.values())
        self.known = frozenset(known.union(self.phrases.values(), *self.phrases))
        self._mistyped = mistyped(self.known)

    def word(self, text: str) -> str:
        """The known word that a mistyped one seems to be, else the word itself."""
        return text if text in self.known else self._mistyped.get(text, text)

    def is_(self, text: str, mark: str) -> bool:
        """Whether a word does what the mark says."""
        return text in self.marks[mark]


def _relation_words(relations: tuple[str, ...], cues: dict[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for relation in relations:
        name = words_of(relation)
        last = name.split(" ")[-1]
        said = cues.get(name, cues["genre"] if last == "genre" else "").split()
        for word in (*said, name, last, f"{last}s"):
            known = found.setdefault(word, [])
            if relation not in known:
                known.append(relation)
    return {word: tuple(meant) for word, meant in found.items()}


def mistyped(words: Iterable[str]) -> dict[str, str]:
    """Mistyped word → the one word that it may be; no word that is another's mistake."""
    known = frozenset(words)
    found: dict[str, str] = {}
    for word in sorted(known):
        for variant in _variants(word) if len(word) >= SHORTEST else ():
            if variant not in known:
                found.setdefault(variant, word)
    return found


def _variants(word: str) -> Iterator[str]:
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]
        yield word[: at + 1] + word[at:]
        yield word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
