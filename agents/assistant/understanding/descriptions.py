"""Items that are described and not named: "the comedy directed by X that stars Y"."""

from collections.abc import Iterator

from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.names import CatalogueNames
from agents.assistant.understanding.tokens import Sentence

_ENDING = ("want", "same", "liked", "contrast")


def descriptions(
    sentence: Sentence, lexicon: Lexicon, names: CatalogueNames
) -> Iterator[tuple[int, int]]:
    """The places, first and one after the last, of each description in a sentence.

    It begins with "the" and one thing ("the comedy", "the war film"), goes on to a word of liking
    or wishing, and must name something.
    """
    at = 0
    while at < len(sentence):
        start = at
        at += 1
        if sentence[start].text != "the" or not _is_head(sentence, start + 1, lexicon, names):
            continue
        while at < len(sentence) and not _ends(sentence, at, lexicon):
            at += 1
        said = [token for token in sentence[start:at] if token.kind == "name" and token.values]
        if len(said) > 1 or said and sentence[start + 1].kind != "name":
            yield start, at


def _ends(sentence: Sentence, at: int, lexicon: Lexicon) -> bool:
    token = sentence[at]
    if token.kind == "name":
        return bool(token.items and not token.values)
    return token.text == "i" or any(lexicon.is_(token.text, mark) for mark in _ENDING)


def _is_head(sentence: Sentence, at: int, lexicon: Lexicon, names: CatalogueNames) -> bool:
    if at >= len(sentence):
        return False
    token = sentence[at]
    if token.kind == "word":
        return token.text in lexicon.marks["things"]
    genre = any(map(names.is_common, token.values))
    return genre and not token.text.lower().endswith("ies")
