"""Names in running text, many at once: where items are mentioned and attributes named, by
Aho–Corasick over a text of the same length.

Each character becomes one plain character (no accent, punctuation as a space), so that places in
the plain text are places in the text.
"""

import html
import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import Any

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from data_engine.names.cleaning import clean_text
from data_engine.names.titles import STEM, YEAR_BRACKETS, key, names_of, split_year

_YEAR = re.compile(r"\s*(?:\((\d{4})\)|\[(\d{4})\]|（(\d{4})）|［(\d{4})］)", re.ASCII)
_OPENING = frozenset(YEAR_BRACKETS.values())
_APOSTROPHES = ("'", "&#39;", "&#x27;", "&apos;")
_NUMERALS = {
    "2": "ii",
    "3": "iii",
    "4": "iv",
    "5": "v",
    "6": "vi",
    "7": "vii",
    "8": "viii",
    "9": "ix",
    "10": "x",
}

Mention = tuple[str, int, int]  # an item named at characters start..end
Hit = tuple[
    int, int, tuple[Any, ...]
]  # a name found at characters start..end, and all that goes by it


class Plain(dict[int, str]):
    """Code point → plain character, filled as characters are met; `fold_case` also lowers."""

    def __init__(self, fold_case: bool) -> None:
        super().__init__()
        self.fold_case = fold_case
        self._ascii = bytes(ord(self[code]) for code in range(128)) + bytes(128)

    def __call__(self, text: str) -> str:
        """The text in plain characters, as long as it was."""
        return (
            text.encode().translate(self._ascii).decode()
            if text.isascii()
            else text.translate(self)
        )

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = "".join(
            c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c)
        )
        plain = base if len(base) == 1 else character
        if not (plain.isalnum() or plain == "_"):
            plain = " "
        elif self.fold_case and len(plain.casefold()) == 1:
            plain = plain.casefold()
        self[code] = plain
        return plain


class NameFinder:
    """Finds names as whole words, the longest from the left, never overlapping. Built once over
    (name, bearer) pairs, then read only.
    """

    def __init__(self, names: Iterable[tuple[str, Hashable]], fold_case: bool) -> None:
        self._plain = Plain(fold_case)
        bearers: dict[str, dict[Hashable, None]] = {}
        for name, bearer in names:
            plain = self._plain(name).strip()
            for spelling in {plain, " ".join(plain.split())} - {""}:
                bearers.setdefault(f" {spelling}", {})[bearer] = None
        self._bearers = [tuple(found) for found in bearers.values()]
        self._single = [" " not in name[1:] for name in bearers]
        self._names = list(bearers)
        self._automaton: AhoCorasick | None = None
        if bearers:
            self._automaton = AhoCorasick(
                self._names,
                implementation=Implementation.ContiguousNFA,
                matchkind=MatchKind.LeftmostLongest,
            )

    @cached_property
    def _every(self) -> AhoCorasick:
        """Made when it is first needed: most texts do without."""
        return AhoCorasick(self._names, implementation=Implementation.ContiguousNFA)

    def find(self, text: str) -> list[Hit]:
        """In order of their starts."""
        if self._automaton is None:
            return []
        plain, found = f" {self._plain(text)} ", []
        for k, start, end in self._automaton.find_matches_as_indexes(plain):
            if plain[end] == " " and (self._single[k] or "\n" not in text[start : end - 1]):
                found.append((start, end - 1, self._bearers[k]))
            elif not self._single[k]:
                # it ends inside a word or crosses a line, and may hide a name that does not
                return self._within_words(text, plain)
        return found

    def _within_words(self, text: str, plain: str) -> list[Hit]:
        """As `find`, from every match there is."""
        matches = [
            (start, end, k)
            for k, start, end in self._every.find_matches_as_indexes(plain, overlapping=True)
        ]
        found, last = [], 0
        for start, end, k in sorted(matches, key=lambda match: (match[0], -match[1])):
            if start >= last and plain[end] == " " and "\n" not in text[start : end - 1]:
                last = end - 1
                found.append((start, last, self._bearers[k]))
        return found


class TitleFinder:
    """Finds mentions of the given items (item → title)."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._finder = NameFinder(
            ((form, item) for item, title in titles.items() for form in _forms(title)),
            fold_case=True,
        )
        self._years = {item: split_year(title)[1] for item, title in titles.items()}

    def find(self, text: str) -> list[Mention]:
        """Left to right, longest name first, never overlapping.

        A following "(1995)" or "[1995]" belongs to the mention and must be the item's year; a name
        that opens in lower case is prose, not a title; a name of two of the items is left out.
        """
        found = []
        for start, end, items in self._finder.find(text):
            if text[start].islower():
                continue
            after = text[end : end + 1]
            if opening := YEAR_BRACKETS.get(after):
                end += opening in text[start:end]  # the year is part of the name that was found
            elif not _OPENING.isdisjoint(text[end : end + 2]) and (year := _YEAR.match(text, end)):
                known = ("", year[year.lastindex or 0])
                items = tuple(item for item in items if self._years[item] in known)
                end = year.end()
            if len(items) == 1:
                found.append((items[0], start, end))
        return found


def _forms(title: str) -> set[str]:
    """The ways a title may be written: its names as they are, in compared words, with Roman
    numerals, with entities; each with its year and without.
    """
    title = clean_text(title)
    forms, year = set(), split_year(title)[1]
    for name, filed in names_of(title):
        if filed != STEM:
            words = key(name).decode().split()
            forms |= {
                name,
                name.replace("'", "").replace("’", ""),
                " ".join(words),
                " ".join(_NUMERALS.get(w, w) if n else w for n, w in enumerate(words)),
            }
            escaped = html.escape(name, quote=False)
            forms |= {escaped.replace("'", quote) for quote in _APOSTROPHES}
    return forms | {f"{form} ({year})" for form in forms} if year else forms
