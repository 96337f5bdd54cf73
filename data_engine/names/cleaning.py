"""Names as people write them: no entities, plain spaces, identifiers as words.

Pure functions over text; importers and the doctor apply them. None makes an empty text of one that
has visible characters.
"""

import html
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from html.entities import html5
from typing import TypeVar
from urllib.parse import unquote

Id = TypeVar("Id", bound=Hashable)

MOST_ESCAPES = 8  # a text escaped more often than this is left as it is
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Controls that are no white space, soft hyphen, zero-width space, word joiner, BOM and marks of
# direction. Zero-width joiners stay: emoji and Persian need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad"
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_PREFIXED = re.compile(r"[A-Za-z][\w-]*:([^\W\d][\w.-]*)")  # dbo:director
_DOTTED = re.compile(r"\w+(?:\.\w+)*\.([^\W\d]\w*)")  # film.film.genre
_HUMPS = re.compile(  # IMDb, ISBN, Number or number
    r"[A-Z]{2,}[a-z](?=[A-Z]|$)|[A-Z]+(?![a-zß-öø-ÿ])|[A-ZÀ-ÖØ-Þ]?[^A-ZÀ-ÖØ-Þ]+|."
)
_HUMPED = re.compile(r"[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]|[A-Z]{2}[a-z]")
LONGEST_ACRONYM = 4  # ISBN is one, DIRECTED is a word in capitals

_BORN = re.compile(r"(?:born|b\.|died|d\.) (?:in |c\. ?)?\d{4}")
# "(English writer)", "(TV series)": what a bracket with capitals or a year must end in.
_KINDS = frozenset(
    "actor actress album animator anime architect artist athlete author band biologist book "
    "boxer businessman character chef cinematographer city club comedian comics company "
    "composer cricketer critic designer director dj dramatist economist editor engineer "
    "entertainer episode fencer film filmmaker footballer franchise game group guitarist "
    "historian host illustrator journalist lyricist magazine manga mathematician miniseries "
    "model movie musical musician novel novelist painter performer philosopher photographer "
    "physicist pianist play player playwright poet politician presenter producer psychologist "
    "publisher rapper reporter scientist screenwriter sculptor serial series show singer "
    "soldier song songwriter soundtrack sportsman studio town translator university village "
    "wrestler writer".split()
)
# "(live)", "(extended version)", "(and friends)": lower-case words that belong to a name.
_OF_THE_NAME = frozenset(
    "a acoustic aka and bonus cover cut deluxe demo edit edition ep explicit extended feat "
    "featuring for from ft in instrumental la le live medley mix mono of on or original part "
    "radio remaster remastered remix reprise single stereo the to uncut unplugged version vol "
    "volume with".split()
)


def clean_text(text: str) -> str:
    """The same text in NFC without HTML entities (`&amp;`) and invisible controls, trimmed, each
    run of white space one space.

    An entity needs its semicolon ("Rock&reggae" has none). Cleaning twice changes nothing more:
    entities are unescaped until none is left, or not at all where that takes more than MOST_ESCAPES
    rounds.
    """
    if text.isascii() and text.isprintable() and not ("&" in text or "  " in text):  # nearly always
        return text.strip()
    plain = found = _tidy(text)
    for _ in range(MOST_ESCAPES):
        before, found = found, _tidy(_ENTITY.sub(_unescaped, found)) if "&" in found else found
        if found == before:
            return found
    return plain


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))


def _unescaped(found: re.Match[str]) -> str:
    entity = found[0]
    return html.unescape(entity) if entity[1] == "#" or entity[1:] in html5 else entity


def readable_relation(raw: str) -> str:
    """A relation in words: "director" of `film.film.director`, `http://…/ontology/director` or
    `dbo:director`, "literary genre" of `literaryGenre`, "directed by" of `directed_by`.

    The last part of an IRI, of a prefixed or of a dotted name, with humps and underscores as
    spaces, in lower case but for acronyms (`ISBNNumber` → "ISBN number"). Plain words stay as they
    are.
    """
    text = clean_text(raw)
    if _IRI.fullmatch(text) or text.startswith("/"):
        last = re.split("[/#]", text.rstrip("/#"))[-1]
        text = clean_text(unquote(last)) or text
    for shape in (_PREFIXED, _DOTTED):
        if found := shape.fullmatch(text):
            text = found[1]
    words = text.replace("_", " ").split()
    if " " in text or not words:
        return text
    if text.isupper() and (len(words) > 1 or len(text) > LONGEST_ACRONYM):
        return " ".join(words).lower()
    if len(words) == 1 and not _HUMPED.search(text):
        return words[0]
    return " ".join(_lower(part) for word in words for part in _HUMPS.findall(word))


def _lower(word: str) -> str:
    """Lower case, but for an acronym: two capitals or more."""
    return word if sum(map(str.isupper, word)) > 1 else word.lower()


def relation_names(raws: Iterable[str]) -> dict[str, str]:
    """Dotted relation → its readable last part, or as many parts as tell it from all the others.

    `film.film.genre` is "genre", but "film genre" beside `tv.tv.genre`: relations that end alike
    need not mean the same (`film.actor.film`, `film.director.film`). One without dots keeps its
    name.
    """
    raws = sorted(set(raws))
    names = {raw: raw for raw in raws if not _DOTTED.fullmatch(raw)}
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for raw in raws:
        alike[readable_relation(raw)].append(raw)
    for group in alike.values():
        deepest = max(raw.count(".") + 1 for raw in group)
        for depth in range(1, deepest + 1):
            shown = {raw: _last_parts(raw, depth) for raw in group}
            if len(set(shown.values())) == len(group):
                break
        names = shown | names
    crowd = Counter(names.values())
    return {raw: name if crowd[name] == 1 else raw for raw, name in names.items()}


def _last_parts(raw: str, depth: int) -> str:
    return " ".join(map(readable_relation, raw.split(".")[-depth:]))


def without_disambiguation(name: str) -> str:
    """`Stephen Baxter (author)` → "Stephen Baxter": no last bracket that only tells homonyms apart.

    That is one of lower-case words, "born 1957", or one that ends in a kind of person or work
    ("American actor", "1990 film"). A bracket that belongs to a name stays: "(Live)", "(1995)",
    "(extended version)", and one without letters or digits before it.
    """
    text = name.rstrip()
    before, bracket, words = text.removesuffix(")").rpartition("(")
    if not (bracket and text.endswith(")") and ")" not in words and before[-1:].isspace()):
        return name
    return before.strip() if any(map(str.isalnum, before)) and _tells_apart(words) else name


def _tells_apart(bracket: str) -> bool:
    if _BORN.search(bracket):
        return True
    words = [word.rstrip(".") for word in bracket.replace(",", " ").replace("/", " ").split()]
    if words and words[-1] in _KINDS:
        return words[0] not in _OF_THE_NAME
    plain = all(word.islower() and not any(map(str.isdigit, word)) for word in words)
    return bool(words) and plain and _OF_THE_NAME.isdisjoint(words)


def surface_names(names: Iterable[tuple[Id, str]]) -> dict[Id, str]:
    """Id → its cleaned name without disambiguation, of all attributes of a relation (or more).

    The bracket stays where two ids would be alike without it (case aside): "Mercury (planet)"
    beside "Mercury (element)", or beside "Mercury". A name of nothing visible stays as it is.
    """
    cleaned = {identity: clean_text(name) or name for identity, name in names}
    shorter = {identity: without_disambiguation(name) for identity, name in cleaned.items()}
    bearers = Counter(name.casefold() for name in shorter.values())
    alone = {identity for identity, name in shorter.items() if bearers[name.casefold()] == 1}
    return {
        identity: shorter[identity] if identity in alone else name
        for identity, name in cleaned.items()
    }
