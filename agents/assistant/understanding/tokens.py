"""A text as sentences of tokens: names, words, numbers and marks."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.names import Mention

_WORD = re.compile(
    r"['’](?:s|d|re|ve|ll|m)\b|w/|(?:19|20)?\d0['’]?s\b|\d+(?:\.\d+)?"
    r"|[^\W\d_]+(?:-[^\W\d_]+)*(?:['’]t\b)?|[^\w\s]"
)
_ENDS = frozenset(".;!?\n")
_ABBREVIATED = frozenset(("dir", "st", "mr", "mrs", "dr", "vs", "jr", "sr"))
_STEMS = {"ca": "can", "wo": "will"}
_SAID = {"'d": "would", "'re": "are", "'ve": "have", "'ll": "will", "'m": "am", "w/": "with"}
_DECADES = {
    "twenties": "1920s",
    "thirties": "1930s",
    "forties": "1940s",
    "fifties": "1950s",
    "sixties": "1960s",
    "seventies": "1970s",
    "eighties": "1980s",
    "nineties": "1990s",
}
# Words without a bearing on what the words beside them mean.
_ADVERBS = frozenset("really necessarily actually also still always absolutely truly".split())


class Token(NamedTuple):
    """kind: name, word, number, decade or mark. text: the word in lower case, as it is known.

    items, values: the bearers of a name.
    """

    kind: str
    text: str
    start: int
    end: int
    items: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


Sentence = list[Token]


def sentences(text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> list[Sentence]:
    """The sentences of a text, phrases as single words and adverbs left out."""
    found: list[Sentence] = []
    current: Sentence = []
    for token in _tokens(text, mentions, lexicon):
        if token.kind == "mark" and token.text in _ENDS:
            if not (token.text == "." and current and _abbreviated(current[-1])):
                found.append(current)
                current = []
        elif token.text not in _ADVERBS or token.kind == "name":
            current.append(token)
            _join_phrase(current, lexicon)
    return [sentence for sentence in (*found, current) if sentence]


def _abbreviated(token: Token) -> bool:
    last = token.text.split(" ")[-1].lower()
    return last in _ABBREVIATED or token.kind == "word" and len(last) == 1 and last != "i"


def _tokens(text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> Iterator[Token]:
    at = 0
    for mention in (*mentions, None):
        stop = len(text) if mention is None else mention.start
        for match in _WORD.finditer(text, at, stop):
            yield from _words(match[0].lower().replace("’", "'"), match, lexicon)
        if mention is not None:
            said = text[mention.start : mention.end]
            yield Token("name", said, *mention[:2], mention.items, mention.values)
            at = mention.end


def _words(word: str, match: re.Match[str], lexicon: Lexicon) -> Iterator[Token]:
    start, end = match.span()
    if word in _DECADES:
        yield Token("decade", _DECADES[word], start, end)
    elif word[0].isdecimal():
        yield Token("decade" if word.endswith("s") else "number", word, start, end)
    elif not word[0].isalpha() and word not in _SAID and word != "'s":
        yield Token("mark", word, start, end)
    elif word.endswith("n't"):
        yield Token("word", _STEMS.get(word[:-3], word[:-3]), start, end - 3)
        yield Token("word", "not", end - 3, end)
    else:
        if word == "cannot":
            word = "not"
        yield Token("word", lexicon.word(_SAID.get(word, word)), start, end)


def _join_phrase(tokens: Sentence, lexicon: Lexicon) -> None:
    """Make one word of a phrase that the last tokens are."""
    for size in (4, 3, 2):
        last = tokens[-size:]
        if len(last) == size and last[0].text in lexicon.starts:
            meant = lexicon.phrases.get(tuple(token.text for token in last))
            if meant and all(token.kind == "word" for token in last):
                tokens[-size:] = [Token("word", meant, last[0].start, last[-1].end)]
                return
