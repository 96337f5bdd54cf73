"""Names in running text, out of millions: an index of hashes in three arrays that can be mapped.

`NameFinder` is quicker for thousands of names; this one needs twelve bytes per name and no build
when it is opened. Both find the same.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np

from data_engine.names.mentions import Plain

WORDS = 24  # words of a name, at most; longer ones are not found
_PLAIN = Plain(fold_case=True)


@dataclass(frozen=True)
class NameIndex:
    """Spellings, as sorted hashes of 8 bytes; those of spelling k are `bearer[start[k]:start[k +
    1]]`, in the order in which they were given. words: the most words of a spelling, shape (1,).
    """

    hashes: np.ndarray
    start: np.ndarray
    bearer: np.ndarray
    words: np.ndarray

    @classmethod
    def build(cls, names: Iterable[tuple[str, int]]) -> Self:
        """The index of (name, bearer) pairs; a pair that comes again is filed once."""
        hashes, bearers, most = array("Q"), array("i"), 0
        for name, bearer in names:
            for spelling in spellings(name):
                count = len(spelling.split())
                if count <= WORDS:
                    most = max(most, count)
                    hashes.append(_hash(spelling))
                    bearers.append(bearer)
        found, order = np.array(hashes, np.uint64), np.array(bearers, np.int32)
        by_hash = np.argsort(found, kind="stable")
        found, order = found[by_hash], order[by_hash]
        fresh = _first_of_each(found, order)
        found, order = found[fresh], order[fresh]
        first = np.flatnonzero(np.append(True, found[1:] != found[:-1])[: len(found)])
        start = np.append(first, len(found)).astype(np.int64)
        return cls(found[first], start, order, np.array([most], np.int32))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map the files of a folder. Raises OSError and ValueError where one cannot be read."""
        return cls(*(_mapped(folder / f"{field.name}.npy") for field in fields(cls)))

    def save(self, folder: Path) -> None:
        """Write the files into a folder that exists."""
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name), allow_pickle=False)

    def get(self, name: str) -> tuple[int, ...]:
        """The bearers of a name."""
        return next(self._look_up([_PLAIN(name).strip()]))

    def find(self, text: str) -> list[tuple[int, int, tuple[int, ...]]]:
        """(start, end, bearers) of each name, as whole words, the longest from the left, never
        overlapping, none across lines.
        """
        words = list(_words(_PLAIN(text)))
        windows = list(self._windows(text, words))
        plain, found, last = _PLAIN(text), [], 0
        bearers = self._look_up([plain[start:end] for start, end in windows])
        hits = [(s, e, b) for (s, e), b in zip(windows, bearers, strict=True) if b]
        for start, end, known in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
            if start >= last:
                found.append((start, end, known))
                last = end
        return found

    def _windows(self, text: str, words: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        most = int(self.words[0])
        for n, (start, _) in enumerate(words):
            for _, end in words[n : n + most]:
                if "\n" in text[start:end]:
                    break
                yield start, end

    def _look_up(self, spelt: list[str]) -> Iterator[tuple[int, ...]]:
        wanted = np.array([_hash(one) for one in spelt], np.uint64)
        places = np.searchsorted(self.hashes, wanted)
        for place, one in zip(places.tolist(), wanted, strict=True):
            if place < len(self.hashes) and self.hashes[place] == one:
                yield tuple(self.bearer[self.start[place] : self.start[place + 1]].tolist())
            else:
                yield ()


def spellings(name: str) -> set[str]:
    """A name in plain characters, with the spaces that its marks leave and without."""
    plain = _PLAIN(name).strip()
    return {plain, " ".join(plain.split())} - {""}


def _words(plain: str) -> Iterator[tuple[int, int]]:
    at = 0
    for word in plain.split():
        start = plain.index(word, at)
        at = start + len(word)
        yield start, at


def _hash(spelling: str) -> int:
    return int.from_bytes(blake2b(spelling.encode(), digest_size=8).digest(), "little")


def _first_of_each(hashes: np.ndarray, bearers: np.ndarray) -> np.ndarray:
    """The places, ascending, at which a pair comes for the first time."""
    order = np.lexsort((bearers, hashes))  # stable: of equal pairs the first stays first
    again = (np.diff(hashes[order]) == 0) & (np.diff(bearers[order]) == 0)
    return np.sort(order[np.append(True, ~again)[: len(order)]])


def _mapped(path: Path) -> np.ndarray:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
