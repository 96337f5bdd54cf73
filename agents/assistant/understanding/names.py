"""The names of a catalogue in a text: people, genres, titles. Homonyms are kept side by side."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from agents.assistant.understanding.indexes import name_indexes
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.spoken import spoken_title
from data_engine.names.titles import key, split_year

COMMON = 100  # values of a relation up to which they are common words ("war", "paperback")
CACHED = 65_536  # values whose counts are kept
_CAPITAL = re.compile(r"\b[A-Z]\w{2,}\b")
_YEAR = re.compile(r"\s*[(\[](\d{4})[)\]]")
_STRANGER = re.compile(
    r"(?:[A-Z]\.|[A-Z][\w'’-]*)(?: (?:d[eu] |v[ao]n |la )?(?:[A-Z]\.|[A-Z][\w'’-]*))+"
)
_NEXT = re.compile(r"([ -])([A-Z][\w]+)")
_DATE = re.compile(r"(?:18|19|20)\d\d")
_ENDING = re.compile(r"[.!?'’]+$")
_OPENS = re.compile(r"(?:^|[.?!\n:(\"]\s*)$")
_COUNTED = re.compile(
    r"\b(?:before|after|in|from|since|until|than|by|year|between|and|to|pre|post|below|above)\W+$",
    re.IGNORECASE,
)
_BY = re.compile(r"\b(?:by|with|starring|featuring|director|actor)\s+$", re.IGNORECASE)
_LISTED_BY = re.compile(
    r"\b(?:by|with|starring|featuring)\s+(?:\w+\s+){0,2}(\w+)\s*(?:,|or|and|nor|&)\s*$",
    re.IGNORECASE,
)
_QUOTES = frozenset("'\"“”‘’*_")


class Mention(NamedTuple):
    """A name at characters start..end, and the items and attribute ids that bear it."""

    start: int
    end: int
    items: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Titled(NamedTuple):
    """The items that go by a title. whole: it is more than the part before a subtitle."""

    items: tuple[str, ...]
    whole: bool


class CatalogueNames:
    """Finds the names of a graph; its indexes are read from `folder`, and made there where they are
    missing.
    """

    def __init__(
        self, graph: InvertedGraph, fillers: frozenset[str], folder: Path | None = None
    ) -> None:
        self._fillers, self._graph = fillers, graph
        relations = [r for r in graph.relations if r not in (AUDIENCE, *graph.numeric)]
        self._named = frozenset(relations)
        sizes = {relation: len(graph.attributes_in(relation)) for relation in relations}
        self.common = frozenset(r for r, size in sizes.items() if size <= COMMON)
        self.counts = lru_cache(CACHED)(self._counts)
        indexes = name_indexes(graph, relations, self.common, folder)
        self._titles, self._values, self._last = indexes

    def _counts(self, value: str) -> Counter[str]:
        """Relation → how many items have the value in it, most first: without groups of users and
        numbers.
        """
        counts = self._graph.counts(value)
        return Counter({r: n for r, n in counts.items() if r in self._named})

    def is_common(self, value: str) -> bool:
        """Whether a value is a common word ("war", "paperback")."""
        return not self.common.isdisjoint(self.counts(value))

    def titled(self, title: str) -> Titled:
        """The items that a whole text names as a title, with or without its year. The very title
        settles which, where the words are those of several.
        """
        name, year = split_year(title)
        filed = self._titles.get(name) or self._titles.get(key(name).decode())
        own = [number >> 1 for number in filed if not number & 1]
        titles = {p: self._graph.arrays.titles[p] for p in own or [n >> 1 for n in filed]}
        dated = {p: t for p, t in titles.items() if not year or split_year(t)[1] in ("", year)}
        exact = [place for place, known in dated.items() if known == title]
        ids = self._graph.arrays.item_ids
        places = exact if len(exact) == 1 else sorted(dated)
        return Titled(tuple(ids[place] for place in places), bool(own))

    def named(self, name: str) -> tuple[str, ...]:
        """The ids of the attributes that a whole text names, numbers and groups of users aside."""
        return tuple(self._graph.arrays.attribute_ids[k] for k in self._values.get(name))

    def is_indexed(self, relation: str) -> bool:
        """Whether `named` knows the values of a relation."""
        return relation in self._named

    def find(self, text: str) -> list[Mention]:
        """Left to right, never overlapping; of two that overlap, the longer."""
        found = [*self._items(text), *self._attributes(text)]
        taken: list[Mention] = []
        for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
            clash = [m for m in taken if m.start < mention.end and mention.start < m.end]
            if not clash:
                taken.append(mention)
            elif len(clash) == 1 and clash[0].start == mention.start:
                if mention.end == clash[0].end:
                    taken.remove(clash[0])
                    taken.append(_merged(clash[0], mention))
        found = list(self._persons(text, (self._sided(text, one) for one in sorted(taken))))
        found += self._strangers(text, found)
        return sorted([*found, *self._last_names(text, found)])

    def _persons(self, text: str, mentions: Iterable[Mention]) -> Iterator[Mention]:
        """The mentions, titles of one word that stand where a person does as that last name: "by
        Lucas", "by Spielberg or Lucas", of a catalogue with a film called "Lucas".
        """
        for mention in mentions:
            said, before = text[mention.start : mention.end], text[: mention.start]
            last = self._last.get(said) if mention.items and not mention.values else ()
            if last and (_BY.search(before) or self._is_listed(before)):
                mention = Mention(mention.start, mention.end, (), self._most_first(last))
            yield mention

    def _is_listed(self, before: str) -> bool:
        """Whether what follows is listed after a person: "by Spielberg or"."""
        listed = _LISTED_BY.search(before)
        return bool(listed and self._last.get(listed[1]))

    def _last_names(self, text: str, known: list[Mention]) -> Iterator[Mention]:
        """Last names alone ("a Hitchcock film"), of those who have several items, most first."""
        taken = [(mention.start, mention.end) for mention in known]
        for match in _CAPITAL.finditer(text):
            start, end = match.span()
            values = self._most_first(self._last.get(match[0]))
            inside = any(one < end and start < other for one, other in taken)
            if values and not inside and match[0].lower() not in self._fillers:
                yield Mention(start, end, (), values)

    def _strangers(self, text: str, known: list[Mention]) -> Iterator[Mention]:
        """Names that the catalogue lacks: two words or more with capitals, within a sentence."""
        at = 0
        for mention in (*known, Mention(len(text), len(text))):
            for match in _STRANGER.finditer(text, at, mention.start):
                start, end = match.span()
                if _OPENS.search(text[:start]):  # the first word has its capital for that
                    start = text.index(" ", start) + 1
                words = [word.strip(".'’").lower() for word in text[start:end].split()]
                if len(words) > 1 and not self._fillers.issuperset(words):
                    end -= text[start:end].endswith(("'s", "’s")) * 2
                    yield Mention(start, end)
            at = max(at, mention.end)

    def _sided(self, text: str, mention: Mention) -> Mention:
        """A name of an item and of a common value: the item where it is written as one ("Kids")."""
        common = any(map(self.is_common, mention.values))
        if not (common and mention.items):
            return mention
        capital = text[mention.start].isupper() and not _OPENS.search(text[: mention.start])
        return mention._replace(values=()) if capital else mention._replace(items=())

    def _most_first(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """The ids of attributes, those of most items first."""
        values = [self._graph.arrays.attribute_ids[k] for k in numbers]
        return tuple(sorted(values, key=lambda value: -self.counts(value).total()))

    def _items(self, text: str) -> Iterator[Mention]:
        """The titles of a text; one that is none may hide another that begins within it."""
        at = 0
        while at < len(text):
            hits = self._titles.find(text[at:])
            offset, at = at, len(text)
            for start, end, items in hits:
                mention = self._item(text, start + offset, end + offset, items)
                if mention:
                    yield mention
                elif " " in text[start + offset : end + offset]:
                    at = text.index(" ", start + offset) + 1
                    break

    def _item(self, text: str, start: int, end: int, filed: Sequence[int]) -> Mention | None:
        """The mention with the marks and year that belong to it; None where it is no title. Items
        that go by the whole name go before those of which it is the part before a subtitle.
        """
        whole = [number >> 1 for number in filed if not number & 1]
        places = whole or [number >> 1 for number in filed]
        titles = {place: self._graph.arrays.titles[place] for place in places}
        endings = {place: _ending(title) for place, title in titles.items()}
        marked = [p for p in places if endings[p] and text.startswith(endings[p], end)]
        if marked:  # "Help!"
            places, end = marked, end + len(endings[marked[0]])
        year = _YEAR.match(text, end)
        if year:
            places = [p for p in places if split_year(titles[p])[1] in ("", year[1])]
            end = year.end()
        if not places or text[start:end].islower():
            return None
        spelt = any(spoken_title(title) == text[start:end] for title in titles.values())
        if not year and not self._is_title(text, start, end, spelt):
            return None
        ids = self._graph.arrays.item_ids
        return Mention(start, end, tuple(ids[place] for place in sorted(places)))

    def _is_title(self, text: str, start: int, end: int, spelt: bool) -> bool:
        """Whether words without a year read as a title: with capitals, and no plain words. spelt:
        whether a title is spelt like this ("eXistenZ").
        """
        said, before = text[start:end], text[:start]
        words, after = said.split(), _NEXT.match(text, end)
        if after and after[1] == " " and said[-1] not in ".!?":
            return False  # the start of a longer title: "Beautiful" of "Beautiful Mind"
        if said[0].islower() or words[-1][0].islower():
            return spelt
        if _DATE.fullmatch(said) and _COUNTED.search(before):
            return False
        if text[end : end + 1] in _QUOTES and before[-1:] in _QUOTES:
            return True
        plain = all(word.strip(".,!?'’").lower() in self._fillers for word in words)
        capitals = [word for word in words[1:] if word[0].isupper() and word != "I"]
        return not plain or bool(capitals) or words != ["I"] and not _OPENS.search(before)

    def _attributes(self, text: str) -> Iterator[Mention]:
        for start, end, numbers in self._values.find(text):
            values = tuple(self._graph.arrays.attribute_ids[k] for k in numbers)
            if " " not in text[start:end]:
                usual = text[start].isupper() and text[start:end].lower() not in self._fillers
                values = tuple(v for v in values if usual or self.is_common(v))
            if values and not self._goes_on(text, end, values):
                yield Mention(start, end, (), self._ranked(text[start:end], values))

    def _goes_on(self, text: str, end: int, values: tuple[str, ...]) -> bool:
        """Whether a name is only the start of a longer one ("Toho-Towa", "Mace Neufeld Films")."""
        after = _NEXT.match(text, end)
        if after is None or any(map(self.is_common, values)):
            return False
        return after[1] == "-" or after[2].lower() not in self._fillers

    def _ranked(self, said: str, values: tuple[str, ...]) -> tuple[str, ...]:
        """The values spelt as it is said first, then those of most items."""

        def rank(value: str) -> tuple[bool, int]:
            return self._graph.name(value) != said, -self.counts(value).total()

        return tuple(sorted(values, key=rank)) if values[1:] else values


def _merged(one: Mention, other: Mention) -> Mention:
    return Mention(one.start, one.end, one.items + other.items, one.values + other.values)


def _ending(title: str) -> str:
    """The marks at the end of a title: "!" of "Help!"."""
    found = _ENDING.search(spoken_title(title))
    return found[0] if found else ""
