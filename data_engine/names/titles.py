"""The title resolver: from what a model writes to the one item it means, or to an honest
"ambiguous" or "unknown".

No similarity ratio is used: the published matcher's ratio misses 41.6 % of MovieLens titles and
takes "Part 2" for "Part 3". Titles are normalised the same way on both
sides and must then be equal. Each item is filed under its title with and without year, article
moved or not, and under each bracketed alias; what fits only the part before a subtitle is said to
be unsure. A text that is no title is read again without entities and invisible characters, and with
a year after a comma or dash.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from sys import intern
from typing import Literal, NamedTuple

from data_engine.names.cleaning import clean_text

_ALIAS = re.compile(r"\s*\(([^()]*)\)")
_ARTICLE = re.compile(
    r"^(?P<rest>.+), "
    r"(?P<article>the|a|an|le|la|les|l'|il|lo|el|los|las|das|der|die|den|det|un|une)$",
    re.IGNORECASE,
)
_SUBTITLE = re.compile(r"^(?P<stem>[^:]+?)\s*(?::| - )\s*(?P<rest>\S.*)$")
_WORD = re.compile(r"\w+", re.UNICODE)
_ROMAN = {
    b"ii": b"2",
    b"iii": b"3",
    b"iv": b"4",
    b"v": b"5",
    b"vi": b"6",
    b"vii": b"7",
    b"viii": b"8",
    b"ix": b"9",
    b"x": b"10",
}
_NUMERALS = frozenset(_ROMAN)
_SMALL = {b"part", b"chapter", b"episode", b"vol", b"volume"}
_PLAIN = bytes(
    ord(c.lower()) if c.isalnum() or c == "_" else ord(" ") for c in map(chr, range(128))
) + bytes(range(128, 256))
YEAR_BRACKETS = {")": "(", "]": "[", "）": "（", "］": "［"}
CROWD = 8  # bearers of a name beyond which they are found by year
OWN, ALIAS, STEM = range(
    3
)  # how an item is filed under a name: its own, an alias, the part before its subtitle

Filed = tuple[str, str, int]  # item, its year, how it is filed
Reason = Literal[
    "own name",
    "alias",
    "settled by the candidates",
    "homonyms",
    "only the part before a subtitle",
    "another year",
    "no such title",
]


class Resolution(NamedTuple):
    """`items` holds one id when ok, several (or an unsure one) when ambiguous, none when unknown;
    `reason` says why.
    """

    status: Literal["ok", "ambiguous", "unknown"]
    items: tuple[str, ...]
    reason: Reason


def fold(text: str) -> str:
    """Case, accents and compatibility forms away, other characters kept."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and "))
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def key(title: str) -> bytes:
    """The words of a title as they are compared: folded, no punctuation, "Part II" as "part 2", a
    final numeral likewise.

    Bytes, because look-ups spend most of their time here.
    """
    if title.isascii():
        found = title.encode().replace(b"&", b" and ").translate(_PLAIN, b"'").split()
    else:
        found = [
            word.encode() for word in _WORD.findall(fold(title.replace("'", "").replace("’", "")))
        ]
    if not _NUMERALS.isdisjoint(found):
        last = len(found) - 1
        found = [
            _ROMAN.get(w, w) if k and (found[k - 1] in _SMALL or k == last) else w
            for k, w in enumerate(found)
        ]
    return b" ".join(found)


def symbols(title: str) -> bytes:
    """What a title without words ("!!!", "🙂") is compared by: its characters, folded."""
    return ("".join(fold(title).split()) or title.strip()).encode()


def split_year(title: str) -> tuple[str, str]:
    """("Heat", "1995") from "Heat (1995)", "Heat [1995]" or "Heat（1995）".

    The year is "" where there is none, or nothing before it.
    """
    title = title.strip()
    if not (title[-1:] == ")" and title[-6:-5] == "("):  # nearly always they are these
        if YEAR_BRACKETS.get(title[-1:]) != title[-6:-5]:
            return title, ""
    if (year := title[-5:-1]).isdigit() and year.isascii() and (name := title[:-6].rstrip()):
        return name, year
    return title, ""


def respelled(text: str) -> tuple[str, ...]:
    """Other readings of a text that is no title: cleaned, and with its last year in brackets."""
    plain = text.isascii() and text.isprintable() and "&" not in text
    if plain and not text[-4:].isdigit():  # nearly always
        return ()
    forms = (text,) if plain else (text, unicodedata.normalize("NFKC", text))
    cleaned = tuple(dict.fromkeys(map(clean_text, forms)))
    found = tuple(form for form in cleaned if form != text)
    clean = cleaned[-1]
    name, year = clean[:-4].rstrip(), clean[-4:]
    dated = name[-1:] == "," or name[-2:] in (" -", " –", " —")
    if dated and year.isdigit() and year.isascii():
        found += (f"{name[:-1]} ({year})",)
    return found


def names_of(title: str) -> Iterator[tuple[str, int]]:
    """The names an item goes by, year aside, with how each is filed: OWN before ALIAS before STEM;
    articles also moved to the front.

    A subtitle is not dropped where it is what tells a sequel from the first part.
    """
    name, _ = split_year(title)
    if not ("(" in name or ":" in name or " - " in name or ", " in name):  # nearly always
        yield name, OWN
        return
    plain = _ALIAS.sub("", name).strip()
    aliases = [
        re.sub(r"^(a\.?k\.?a\.?)\s+", "", alias.strip(), flags=re.IGNORECASE)
        for alias in _ALIAS.findall(name)
    ]
    stem = _SUBTITLE.match(plain)
    stems = [stem["stem"]] if stem and key(stem["rest"]).split(b" ")[0] not in _SMALL else []
    for names, filed in (((name, plain), OWN), (aliases, ALIAS), (stems, STEM)):
        for text in names:
            moved = _ARTICLE.match(text)
            yield text, filed
            if moved:
                yield f"{moved['article']} {moved['rest']}", filed


def spellings(title: str) -> dict[bytes, int]:
    """Every key the item is found by, with how it is filed."""
    found: dict[bytes, int] = {}
    for text, filed in names_of(title):
        if words := key(text) or (symbols(text) if filed == OWN else b""):
            found.setdefault(words, filed)
    return found


_REASONS: tuple[Reason, ...] = ("own name", "alias")


class TitleResolver:
    """Built once over a catalogue (item → title), then read only. About 0.4 kB a title."""

    def __init__(self, titles: dict[str, str]) -> None:
        self._by_name: dict[
            bytes, tuple[Filed, ...]
        ] = {}  # tuples: a million lists would keep the garbage collector busy
        stems: dict[
            bytes, list[Filed]
            # apart: a short stem may be that of thousands, which a look-up of a whole name need not
            # walk
        ] = {}
        self._titles = titles
        for item, title in titles.items():
            title = clean_text(title)
            year = intern(split_year(title)[1])
            for name, how in spellings(title).items():
                if how == STEM:
                    stems.setdefault(name, []).append((item, year, how))
                else:
                    self._by_name[name] = (*self._by_name.get(name, ()), (item, year, how))
        self._by_stem = {name: tuple(filed) for name, filed in stems.items()}
        self._crowds: dict[
            tuple[bytes, str, bool], list[Filed]
        ] = {}  # name, year, whether it is a stem: where many share a name
        for filing, stem in ((self._by_name, False), (self._by_stem, True)):
            for name, entries in filing.items():
                for entry in entries if len(entries) > CROWD else ():
                    self._crowds.setdefault((name, entry[1], stem), []).append(entry)

    def resolve(self, text: str, among: frozenset[str] = frozenset()) -> Resolution:
        """The item that `text` names. A year, where given, must be the item's; an own name goes
        before an alias; the very title, and then `among`, settle a tie between homonyms. A title
        that itself ends in a bracketed number is tried as a name too. What fits only the part
        before a subtitle is never taken for a match.
        """
        name, year = split_year(text)
        words = key(name) or symbols(name)
        entries = self._by_name.get(words, ())
        if len(entries) == 1:  # nearly always
            ((item, its, how),) = entries
            if its == year or not year:
                return Resolution("ok", (item,), _REASONS[how])
        found = self._weigh(text, words, year, entries, among)
        if found.status == "unknown":
            for other in respelled(text):
                again = self._read(other, among)
                if again.reason != "no such title":
                    return again
        return found

    def unresolvable(self) -> list[str]:
        """Items whose own title does not mean them: two of one title, or one that is empty."""
        titles = self._titles.items()
        return [item for item, title in titles if self.resolve(title).items != (item,)]

    def _read(self, text: str, among: frozenset[str]) -> Resolution:
        """As `resolve`, of this spelling alone."""
        name, year = split_year(text)
        words = key(name) or symbols(name)
        return self._weigh(text, words, year, self._by_name.get(words, ()), among)

    def _weigh(
        self, text: str, words: bytes, year: str, entries: Sequence[Filed], among: frozenset[str]
    ) -> Resolution:
        """The best of `entries`, which bear the name `words`, or of what bears it as a stem."""
        filed = self._dated(words, entries, year, False)
        if not filed:
            stemmed = self._by_stem.get(words, ())
            filed = self._dated(words, stemmed, year, True)
            if not filed and year:
                filed = self._by_name.get(whole := key(text), ()) or self._by_stem.get(whole, ())
            if not filed:
                return Resolution(
                    "unknown", (), "another year" if entries or stemmed else "no such title"
                )
        best = min([how for _, _, how in filed])
        items = (
            (filed[0][0],)
            if len(filed) == 1
            else tuple(sorted({item for item, _, how in filed if how == best}))
        )
        if best == STEM:
            return Resolution("ambiguous", items, "only the part before a subtitle")
        if len(items) == 1:
            return Resolution("ok", items, _REASONS[best])
        exact = [item for item in items if self._titles[item] == text]
        if len(exact) == 1:  # "C++" beside "C": the words are the same
            return Resolution("ok", (exact[0],), "own name")
        settled = tuple(item for item in items if item in among)
        return (
            Resolution("ok", settled, "settled by the candidates")
            if len(settled) == 1
            else Resolution("ambiguous", items, "homonyms")
        )

    def _dated(
        self, words: bytes, entries: Sequence[Filed], year: str, stem: bool
    ) -> Sequence[Filed]:
        """Those of a year, or all where none is given."""
        if not year:
            return entries
        return (
            self._crowds.get((words, year, stem), ())
            if len(entries) > CROWD
            else [entry for entry in entries if entry[1] == year]
        )
