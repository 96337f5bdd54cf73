"""Names in running text, many at once: where items are mentioned and attributes named, by Aho–Corasick over a text of the same length.

Each character becomes one plain character (no accent, punctuation as a space), so that places in the plain text are places in the text.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from data_engine.titles import STEM, key, names_of, split_year

_YEAR = re.compile(r"\s*\((\d{4})\)")
_NUMERALS = {"2": "ii", "3": "iii", "4": "iv", "5": "v", "6": "vi", "7": "vii", "8": "viii", "9": "ix", "10": "x"}


class Mention(NamedTuple):
    """An item named in a text, at characters start..end."""

    item: str
    start: int
    end: int


class _Plain(dict):
    """Code point → plain character, filled as characters are met; `fold_case` also lowers."""

    def __init__(self, fold_case: bool) -> None:
        super().__init__()
        self.fold_case = fold_case

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
        plain = base if len(base) == 1 else character
        if not (plain.isalnum() or plain == "_"):
            plain = " "
        elif self.fold_case and len(plain.casefold()) == 1:
            plain = plain.casefold()
        self[code] = plain
        return plain


class Hit(NamedTuple):
    """A name found at characters start..end, and all that goes by it."""

    start: int
    end: int
    bearers: tuple


class NameFinder:
    """Finds names as whole words, overlapping ones too. Built once over (name, bearer) pairs, then read only."""

    def __init__(self, names: Iterable[tuple[str, Hashable]], fold_case: bool) -> None:
        self._plain = _Plain(fold_case)
        bearers: dict[str, dict[Hashable, None]] = {}
        for name, bearer in names:
            plain = name.translate(self._plain).strip()
            for spelling in {plain, " ".join(plain.split())} - {""}:
                bearers.setdefault(f" {spelling} ", {})[bearer] = None
        self._bearers = [tuple(found) for found in bearers.values()]
        self._automaton = AhoCorasick(list(bearers), implementation=Implementation.ContiguousNFA) if bearers else None

    def find(self, text: str) -> list[Hit]:
        """In order of their starts, longest first."""
        if self._automaton is None:
            return []
        found = self._automaton.find_matches_as_indexes(f" {text.translate(self._plain)} ", overlapping=True)
        return [Hit(start, -end - 2, self._bearers[k]) for start, end, k in sorted([(start, -end, k) for k, start, end in found])]


class TitleFinder:
    """Finds mentions of the given items (item → title)."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        forms = ((form, (item, split_year(title)[1])) for item, title in titles.items() for form in _forms(title))
        self._finder = NameFinder(forms, fold_case=True)

    def find(self, text: str) -> list[Mention]:
        """Left to right, longest name first, never overlapping. A following "(1995)" belongs to the mention and must be the item's year;
        a name that opens in lower case is prose, not a title; a name of two of the items is left out."""
        found, last = [], 0
        for start, end, bearers in self._finder.find(text):
            if start < last or text[start].islower() or "\n" in text[start:end]:
                continue
            year = _YEAR.match(text, end)
            items = {item for item, its in bearers if year is None or its in ("", year[1])} if year or len(bearers) > 1 else (bearers[0][0],)
            if len(items) == 1:
                last = year.end() if year else end
                found.append(Mention(*items, start, last))
        return found


def _forms(title: str) -> set[str]:
    """The ways a title may be written: its names as they are, in compared words, and with Roman numerals."""
    forms = set()
    for name, filed in names_of(title):
        if filed != STEM:
            words = key(name).decode().split()
            forms |= {
                name,
                name.replace("'", "").replace("’", ""),
                " ".join(words),
                " ".join(_NUMERALS.get(w, w) if n else w for n, w in enumerate(words)),
            }
    return forms
