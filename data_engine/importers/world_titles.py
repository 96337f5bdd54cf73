"""Titles of invented films: patterns and words per genre, from `world_words/`."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from random import Random

from data_engine.importers.world_names import WORDS, first_names, last_names
from data_engine.names.titles import key

SETTLERS = ("english", "irish_and_scottish")
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"^@ (?=(\w))")
Lists = dict[str, tuple[str, ...]]


def invent_titles(genres: Sequence[str], seed: int, names: Iterable[str]) -> list[str]:
    """A title for a film of each genre, the same for the same seed.

    None is found inside another one or inside any of `names`, nor has any of them inside it, as
    whole words, whatever the case and punctuation.
    """
    rng = Random(f"titles {seed}")
    taken = _Taken()
    for name in names:
        taken.add(name)
    return [_free_title(rng, genre, taken) for genre in genres]


def _free_title(rng: Random, genre: str, taken: "_Taken") -> str:
    """The first title of a genre that collides with none; there are many more than films."""
    lists = _grammar(genre)
    while True:
        drawn = _expand(rng, rng.choice(lists["patterns"]), lists)
        title = _ARTICLE.sub(lambda found: "An " if found[1] in "AEIOU" else "A ", drawn)
        title = title[0].upper() + title[1:]
        if taken.is_free(title) and not _repeats(title):
            taken.add(title)
            return title


def _expand(rng: Random, text: str, lists: Lists) -> str:
    """The text with every slot filled, those of the fillings too."""
    return _SLOT.sub(lambda slot: _expand(rng, rng.choice(lists[slot[1]]), lists), text)


def _repeats(title: str) -> bool:
    """Whether a word of more than three letters stands in it twice."""
    words = [word for word in key(title).split() if len(word) > 3]
    return len(set(words)) < len(words)


class _Taken:
    """The titles and names that there are, and every run of words in them."""

    def __init__(self) -> None:
        self._whole, self._inside = set[bytes](), set[bytes]()

    def is_free(self, title: str) -> bool:
        """Whether it is nowhere inside those there are, and none of them inside it."""
        keys = _keys(title)
        return self._inside.isdisjoint(keys) and self._whole.isdisjoint(_runs(keys))

    def add(self, title: str) -> None:
        """One more."""
        keys = _keys(title)
        self._whole.update(keys)
        self._inside.update(_runs(keys))


def _keys(title: str) -> tuple[bytes, ...]:
    """Its compared words, with an apostrophe left out or as a space: both are ways to write it."""
    return (key(title), key(title.replace("'", " "))) if "'" in title else (key(title),)


def _runs(keys: Sequence[bytes]) -> Iterator[bytes]:
    """Every run of words in them."""
    for text in keys:
        words = text.split()
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                yield b" ".join(words[start:end])


@cache
def _grammar(genre: str) -> Lists:
    """The patterns and lists of a genre, and those of all genres."""
    return _shared() | _read(genre)


@cache
def _shared() -> Lists:
    """The lists of all genres, names of people among them."""
    lasts = last_names()
    return _read("shared") | {
        "first": tuple(chain.from_iterable(first_names().values())),
        "family": tuple(lasts),
        "settler": tuple(name for name, culture in lasts.items() if culture in SETTLERS),
    }


def _read(name: str) -> Lists:
    table = tomllib.loads((WORDS / f"{name.lower()}.toml").read_text())
    return {
        slot: tuple(map(str.strip, words.split("|"))) if isinstance(words, str) else tuple(words)
        for slot, words in table.items()
    }
