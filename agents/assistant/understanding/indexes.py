"""The indexes of the names of a catalogue: titles, values and last names. Made once per graph."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np

from agents.assistant.understanding.lexicon import RELATIONS, vocabulary, words_of
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.cleaning import clean_text
from data_engine.names.index import NameIndex
from data_engine.names.spoken import spoken_value
from data_engine.names.titles import STEM, key, names_of
from data_engine.runtime.atomic import replace

KNOWN = 3  # items of somebody who is known by the last name alone
VERSION = 2  # of the spellings that are filed
PARTS = ("titles", "values", "last")
Indexes = tuple[NameIndex, NameIndex, NameIndex]


def name_indexes(
    graph: InvertedGraph, relations: Collection[str], common: Collection[str], folder: Path | None
) -> Indexes:
    """Titles (bearers: twice the item's place, and one more where the name is only the part before
    a subtitle), values and last names (bearers: numbers of attributes).

    relations: those whose values are names. common: those of them whose values are common words.
    folder: where they are kept beside the arrays; in memory only where None, or not writable.
    """
    kept = None if folder is None else folder / f"names-{VERSION}"
    if kept is not None and kept.is_dir():
        titles, values, last = (NameIndex.open(kept / part) for part in PARTS)
        return titles, values, last
    totals = np.zeros(len(graph.arrays.attribute_ids), np.int64)
    for relation in relations:
        numbers, counts = graph.sizes(relation)
        totals[numbers] += counts
    made = (
        NameIndex.build(_titles(graph)),
        NameIndex.build(_values(graph, totals, common)),
        NameIndex.build(_last_names(graph, totals, relations)),
    )
    if kept is not None:
        _save(made, kept)
    return made


def _save(made: Indexes, kept: Path) -> None:
    """Write all of the indexes, or none: a folder that cannot be written is done without."""
    try:
        part = Path(mkdtemp(dir=kept.parent, prefix=".names-"))
    except OSError:
        return
    try:
        for name, index in zip(PARTS, made, strict=True):
            (part / name).mkdir()
            index.save(part / name)
        part.chmod(0o755)
        replace(part, kept)
    except OSError:
        pass  # another process was first, or the disk is full: these stay in memory
    finally:
        rmtree(part, ignore_errors=True)


def _titles(graph: InvertedGraph) -> Iterator[tuple[str, int]]:
    for place, title in enumerate(graph.arrays.titles):
        for form, stem in _forms(title):
            yield form, 2 * place + stem


def _forms(title: str) -> Iterator[tuple[str, bool]]:
    """The ways a title is written: article moved or not, as compared words, without apostrophes;
    each with whether it is only the part before a subtitle ("Star Wars", of which there are
    several).
    """
    names = list(names_of(clean_text(title)))
    series = [(name.partition(":")[0].strip(), STEM) for name, _ in names if ":" in name]
    for name, filed in (*names, *series):
        if filed != STEM or " " in name:
            for form in {name, key(name).decode(), re.sub("['’]", "", name)}:
                yield form, filed == STEM


def _values(
    graph: InvertedGraph, totals: np.ndarray, common: Collection[str]
) -> Iterator[tuple[str, int]]:
    words, said = _numbers(graph, common), vocabulary("values")["values"]
    for number, name in enumerate(graph.arrays.names):
        if totals[number]:
            yield name, number
        if number in words:
            others = said.get(name.casefold(), "").split(", ")
            for form in filter(None, (*spoken_value(name), *others)):
                yield form, number
                yield f"{form}s", number


def _last_names(
    graph: InvertedGraph, totals: np.ndarray, relations: Collection[str]
) -> Iterator[tuple[str, int]]:
    genres = _numbers(graph, [relation for relation in relations if is_genre(relation)])
    for number, name in enumerate(graph.arrays.names):
        words = name.split()
        if totals[number] >= KNOWN and len(words) > 1 and number not in genres:
            yield words[-1], number


def _numbers(graph: InvertedGraph, relations: Collection[str]) -> frozenset[int]:
    found = set[int]()
    for relation in relations:
        found.update(graph.attributes_in(relation).tolist())
    return frozenset(found)


@lru_cache(RELATIONS)
def is_genre(relation: str) -> bool:
    """Whether values are genres: "genre", "literary genre"."""
    return words_of(relation).split(" ")[-1] == "genre"
