"""A line of prose as tokens: items, values (names of attributes), words and marks, by sentence."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from data_engine.names.mentions import Hit, Mention
from data_engine.responses.lexicon import words

_WORD = re.compile(
    r"['’](?:s|d|re|ve|ll)\b|[^\W\d_]+(?:-[^\W\d_]+)*(?:['’](?:t|m)\b)?|\d+|[^\w\s*_`#\"“”]"
)
_ENDS = frozenset(".;!?")
_BULLET = re.compile(r"\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)+")


class Token(NamedTuple):
    """kind: item, value, word. text: the word in lower case, "I" or "V". ids: the items, or the
    attribute numbers.
    """

    kind: str
    text: str
    start: int
    end: int
    ids: tuple[str | int, ...] = ()


class Sentence(NamedTuple):
    """Tokens without the final mark; whether it opens the line, stands in a bullet, asks."""

    tokens: list[Token]
    first: bool
    bullet: bool
    question: bool


def sentences(
    text: str, start: int, end: int, mentions: Sequence[Mention], hits: Sequence[Hit]
) -> list[Sentence]:
    """The sentences of the line at start..end."""
    bullet = _BULLET.match(text, start, end)
    at = bullet.end() if bullet else start
    named = [Token("item", "I", s, e, (item,)) for item, s, e in mentions]
    named += [Token("value", "V", s, e, tuple(ids)) for s, e, ids in hits]
    found: list[Sentence] = []
    current: list[Token] = []
    for token in _all_tokens(text, at, end, sorted(named, key=lambda token: token.start)):
        if token.text in _ENDS and token.kind == "word":
            if current:
                asks = token.text == "?"
                found.append(Sentence(current, not found, bool(bullet), asks))
            current = []
        else:
            current.append(token)
    if current:
        found.append(Sentence(current, not found, bool(bullet), False))
    return found


def _all_tokens(text: str, at: int, end: int, named: list[Token]) -> list[Token]:
    tokens: list[Token] = []
    for name in [*named, Token("end", "", end, end)]:
        if name.start < at:
            continue
        for match in _WORD.finditer(text, at, name.start):
            tokens += _words(match[0].lower().replace("’", "'"), match.start(), match.end())
        if name.kind != "end":
            tokens.append(name)
        at = name.end
    return tokens


def _words(word: str, start: int, end: int) -> list[Token]:
    """A word, contractions taken apart: "isn't" is "is" and "not"."""
    if word.endswith("n't"):
        stem = {"ca": "can", "wo": "will"}.get(word[:-3], word[:-3])
        return [Token("word", stem, start, end), Token("word", "not", start, end)]
    if word.endswith("'m"):
        return [Token("word", word[:-2], start, end), Token("word", "am", start, end)]
    return [Token("word", {"'d": "would", "'re": "are", "'ve": "have"}.get(word, word), start, end)]


def with_phrases(tokens: list[Token]) -> list[Token]:
    """Phrases that stand for one word, as that word: "rather than" is "not"."""
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        for phrase, meant in _PHRASES.items():
            size = len(phrase)
            if tuple(t.text for t in found[-size:]) == phrase:
                first = found[-size]
                found[-size:] = [Token("word", meant, first.start, token.end)] if meant else []
    return found


_PHRASES = {
    ("rather", "than"): "not",
    ("instead", "of"): "not",
    ("anything", "but"): "not",
    ("as", "well", "as"): "and",
    ("along", "with"): "and",
    ("not", "only"): "",
    ("not", "just"): "",
    ("but", "also"): "and",
    ("in", "fact"): "but",
    ("in", "truth"): "but",
}


def joined_shape(tokens: Sequence[Token]) -> str:
    """The tokens' texts, with a space between each two: "I stars V , but V directed I"."""
    return " ".join(token.text for token in tokens)


def is_prose(rest: str, relations: frozenset[str]) -> bool:
    """Whether a line without its names is a sentence rather than a terse line.

    relations: the words of the graph's relations.
    """
    lowered = rest.lower().replace("’", "'")
    if not _MARKS.isdisjoint(lowered):
        return True
    found = _LETTERS.findall(lowered)
    if _TERSE.search(lowered):
        return False
    return not all(word in relations or word in words("reading", "terse") for word in found)


_LETTERS = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_TERSE = re.compile(
    r"\b(?:share|shares|same|common)\b|\b(?:needs?|wants?) (?:not )?"
    r"(?!an?\b|some|any|the\b|to\b|no|it\b)\w"
)
_MARKS = frozenset(":*()–—[]")
