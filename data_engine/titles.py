"""The title resolver: from what a model writes to the one item it means, or to an honest "ambiguous" or "unknown".

No similarity ratio is used: the published matcher's ratio misses 41.6 % of MovieLens titles and takes "Part 2" for "Part 3"
(METHOD, known fault 1). Titles are normalised the same way on both sides and must then be equal. Each item is filed under
its title with and without year, article moved or not, and under each bracketed alias.
"""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ALIAS = re.compile(r"\s*\(([^()]*)\)")
_ARTICLE = re.compile(r"^(?P<rest>.+), (?P<article>the|a|an|le|la|les|l'|il|lo|el|los|las|das|der|die|den|det|un|une)$", re.IGNORECASE)
_WORD = re.compile(r"\w+", re.UNICODE)
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10"}
_SMALL = {"part", "chapter", "episode", "vol", "volume"}


@dataclass(frozen=True)
class Resolution:
    """`items` holds one id when ok, several when ambiguous, none when unknown."""

    status: Literal["ok", "ambiguous", "unknown"]
    items: tuple[str, ...]


@dataclass(frozen=True)
class Mention:
    """An item named in a text, at characters start..end."""

    item: str
    start: int
    end: int


def fold(text: str) -> str:
    """Case, accents and compatibility forms away, other characters kept."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and "))
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def words(title: str) -> tuple[str, ...]:
    """The words of a title as they are compared: folded, no punctuation, "Part II" as "part 2", a final numeral likewise."""
    found = _WORD.findall(fold(title.replace("'", "").replace("’", "")))
    last = len(found) - 1
    return tuple(_ROMAN.get(w, w) if k and (found[k - 1] in _SMALL or k == last) else w for k, w in enumerate(found))


def split_year(title: str) -> tuple[str, str]:
    """("Heat", "1995") from "Heat (1995)"; the year is "" where there is none."""
    year = _YEAR.search(title)
    return (title[: year.start()], year[1]) if year else (title.strip(), "")


def spellings(title: str) -> tuple[set[str], set[str]]:
    """Every way the item's name is written, year aside: its own names (whole, without aliases), its aliases; each with the article moved too."""
    name, _ = split_year(title)
    own = {name, _ALIAS.sub("", name).strip()}
    aliases = {re.sub(r"^(a\.?k\.?a\.?)\s+", "", alias.strip(), flags=re.IGNORECASE) for alias in _ALIAS.findall(name)}
    return _with_articles(own), _with_articles(aliases)


def _with_articles(names: set[str]) -> set[str]:
    moved = {f"{m['article']} {m['rest']}" for n in names if (m := _ARTICLE.match(n))}
    return {n for n in names | moved if words(n)}


class TitleResolver:
    """Built once over a catalogue (item → title), then read only."""

    def __init__(self, titles: dict[str, str]) -> None:
        by_name: dict[tuple[str, ...], dict[str, tuple[str, bool]]] = defaultdict(dict)
        for item, title in titles.items():
            year, (own, aliases) = split_year(title)[1], spellings(title)
            for name in aliases:
                by_name[words(name)][item] = (year, False)
            for name in own:
                by_name[words(name)][item] = (year, True)
        self._by_name = dict(by_name)  # words → item → (its year, whether this is its own name and not an alias)
        self._longest = max(map(len, by_name), default=0)

    def resolve(self, text: str, among: frozenset[str] = frozenset()) -> Resolution:
        """The item that `text` names. A year, where given, must be the item's; an own name goes before an alias; `among` settles
        a tie between homonyms. A title that itself ends in a bracketed number is tried as a name too.
        """
        name, year = split_year(text.strip())
        filed = {item: own for item, (its, own) in self._by_name.get(words(name), {}).items() if not year or its == year}
        filed = filed or {item: own for item, (_, own) in self._by_name.get(words(text), {}).items()}
        hits = {item for item, own in filed.items() if own} or set(filed)
        if len(hits) > 1 and len(hits & among) == 1:
            hits &= among
        items = tuple(sorted(hits))
        return Resolution("unknown" if not items else "ok" if len(items) == 1 else "ambiguous", items)

    def mentions(self, text: str, among: frozenset[str]) -> list[Mention]:
        """Where the items `among` are named in running text, longest name first, left to right, never overlapping.

        A following "(1995)" belongs to the mention and must be the item's year; a name that opens in lower case is prose, not a title.
        """
        tokens = [(m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]
        found, k = [], 0
        while k < len(tokens):
            hit = next((m for n in range(min(self._longest, len(tokens) - k), 0, -1) if (m := self._mention(text, tokens, k, n, among))), None)
            if hit is None:
                k += 1
                continue
            found.append(hit)
            while k < len(tokens) and tokens[k][1] < hit.end:
                k += 1
        return found

    def _mention(self, text: str, tokens: list[tuple[str, int, int]], k: int, n: int, among: frozenset[str]) -> Mention | None:
        start, end = tokens[k][1], tokens[k + n - 1][2]
        if text[start].islower():
            return None
        filed = self._by_name.get(words(text[start:end]))
        if not filed:
            return None
        year = re.match(r"\s*\((\d{4})\)", text[end:])
        hits = {item for item, (its, _) in filed.items() if item in among and (year is None or its in ("", year[1]))}
        return Mention(hits.pop(), start, end + (year.end() if year else 0)) if len(hits) == 1 else None
