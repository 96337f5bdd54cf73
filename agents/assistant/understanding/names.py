"""The names of a catalogue in a text: people, genres, titles. Homonyms are kept side by side."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from agents.assistant.understanding.lexicon import vocabulary, words_of
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.cleaning import clean_text
from data_engine.names.mentions import NameFinder
from data_engine.names.spoken import spoken_title, spoken_value
from data_engine.names.titles import STEM, key, names_of, split_year

COMMON = 100  # values of a relation up to which they are common words ("war", "paperback")
KNOWN = 3  # items of somebody who is known by the last name alone
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
_QUOTES = frozenset("'\"“”‘’*_")


class Mention(NamedTuple):
    """A name at characters start..end, and the items and attribute ids that bear it."""

    start: int
    end: int
    items: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class CatalogueNames:
    """Finds names; built once over a graph.

    `counts[value]`: relation → how many items have the value in it, most first.
    """

    def __init__(self, graph: AttributeGraph, fillers: frozenset[str]) -> None:
        self._fillers, self._names = fillers, graph.names
        self.counts: dict[str, Counter[str]] = {}
        for (relation, value), items in graph.items_by_edge.items():
            if relation != AUDIENCE and relation not in graph.numeric:
                self.counts.setdefault(value, Counter())[relation] += len(items)
        sizes = Counter(relation for found in self.counts.values() for relation in found)
        self.common = frozenset(r for r, size in sizes.items() if size <= COMMON)
        self._bearers = self._by_last_name(graph.names)
        self._endings = {
            item: ending[0]
            for item, title in graph.titles.items()
            if (ending := _ENDING.search(spoken_title(title)))
        }
        self._years = {item: split_year(title)[1] for item, title in graph.titles.items()}
        self._spelt = {spoken_title(title) for title in graph.titles.values()}  # "eXistenZ"
        self._titles = NameFinder(
            chain.from_iterable(_forms(item, title) for item, title in graph.titles.items()), True
        )
        self._values = NameFinder(self._value_forms(graph.names), True)

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
        found = [self._sided(text, mention) for mention in sorted(taken)]
        found += self._strangers(text, found)
        return sorted([*found, *self._last_names(text, found)])

    def _last_names(self, text: str, known: list[Mention]) -> Iterator[Mention]:
        """Last names alone ("a Hitchcock film"), of those who have several items, most first."""
        taken = [(mention.start, mention.end) for mention in known]
        for match in _CAPITAL.finditer(text):
            start, end = match.span()
            values = self._bearers.get(match[0].casefold(), ())
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
        common = any(not self.common.isdisjoint(self.counts[value]) for value in mention.values)
        if not (common and mention.items):
            return mention
        capital = text[mention.start].isupper() and not _OPENS.search(text[: mention.start])
        return mention._replace(values=()) if capital else mention._replace(items=())

    def _by_last_name(self, names: dict[str, str]) -> dict[str, tuple[str, ...]]:
        """Last name → its bearers with KNOWN items or more, those of most first."""
        found: dict[str, list[str]] = {}
        for value in sorted(self.counts, key=lambda value: -self.counts[value].total()):
            words = names[value].split()
            enough = self.counts[value].total() >= KNOWN
            if enough and len(words) > 1 and not any(map(is_genre, self.counts[value])):
                found.setdefault(words[-1].casefold(), []).append(value)
        return {name: tuple(values) for name, values in found.items()}

    def _value_forms(self, names: dict[str, str]) -> Iterator[tuple[str, str]]:
        said = vocabulary("values")
        for value, relations in self.counts.items():
            name = names[value]
            yield name, value
            if not self.common.isdisjoint(relations):
                others = said["values"].get(name.casefold(), "").split(", ")
                for form in filter(None, (*spoken_value(name), *others)):
                    yield form, value
                    yield f"{form}s", value

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

    def _item(
        self, text: str, start: int, end: int, filed: Sequence[tuple[str, bool]]
    ) -> Mention | None:
        """The mention with the marks and year that belong to it; None where it is no title. Items
        that go by the whole name go before those of which it is the part before a subtitle.
        """
        items = tuple(item for item, stem in filed if not stem) or tuple(i for i, _ in filed)
        marked = tuple(i for i in items if text.startswith(self._endings.get(i, "\0"), end))
        if marked:  # "Help!"
            items, end = marked, end + len(self._endings[marked[0]])
        year = _YEAR.match(text, end)
        if year:
            items = tuple(i for i in items if self._years[i] in ("", year[1]))
            end = year.end()
        if not items or text[start:end].islower():
            return None
        return Mention(start, end, items) if year or self._is_title(text, start, end) else None

    def _is_title(self, text: str, start: int, end: int) -> bool:
        """Whether words without a year read as a title: with capitals, and no plain words."""
        said, before = text[start:end], text[:start]
        words, after = said.split(), _NEXT.match(text, end)
        if after and after[1] == " " and said[-1] not in ".!?":
            return False  # the start of a longer title: "Beautiful" of "Beautiful Mind"
        if said[0].islower() or words[-1][0].islower():
            return said in self._spelt
        if _DATE.fullmatch(said) and _COUNTED.search(before):
            return False
        if text[end : end + 1] in _QUOTES and before[-1:] in _QUOTES:
            return True
        plain = all(word.strip(".,!?'’").lower() in self._fillers for word in words)
        capitals = [word for word in words[1:] if word[0].isupper() and word != "I"]
        return not plain or bool(capitals) or words != ["I"] and not _OPENS.search(before)

    def _attributes(self, text: str) -> Iterator[Mention]:
        for start, end, values in self._values.find(text):
            if " " not in text[start:end]:
                usual = text[start].isupper() and text[start:end].lower() not in self._fillers
                values = tuple(
                    v for v in values if usual or not self.common.isdisjoint(self.counts[v])
                )
            if values and not self._goes_on(text, end, values):
                yield Mention(start, end, (), self._ranked(text[start:end], values))

    def _goes_on(self, text: str, end: int, values: tuple[str, ...]) -> bool:
        """Whether a name is only the start of a longer one ("Toho-Towa", "Mace Neufeld Films")."""
        after = _NEXT.match(text, end)
        if after is None or any(not self.common.isdisjoint(self.counts[v]) for v in values):
            return False
        return after[1] == "-" or after[2].lower() not in self._fillers

    def _ranked(self, said: str, values: tuple[str, ...]) -> tuple[str, ...]:
        """The values spelt as it is said first, then those of most items."""

        def rank(value: str) -> tuple[bool, int]:
            return self._names[value] != said, -self.counts[value].total()

        return tuple(sorted(values, key=rank)) if values[1:] else values


def _merged(one: Mention, other: Mention) -> Mention:
    return Mention(one.start, one.end, one.items + other.items, one.values + other.values)


def _forms(item: str, title: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    """The ways a title is written: article moved or not, as compared words, without apostrophes;
    each with the item and whether it is only the part before a subtitle.
    """
    for name, filed in names_of(clean_text(title)):
        if filed != STEM or " " in name:
            for form in {name, key(name).decode(), re.sub("['’]", "", name)}:
                yield form, (item, filed == STEM)


def is_genre(relation: str) -> bool:
    """Whether values are genres: "genre", "literary genre"."""
    return words_of(relation).split(" ")[-1] == "genre"
