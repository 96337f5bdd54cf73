"""What a message says that no reader has used."""

from collections.abc import Iterator, Sequence

from agents.assistant.request import Span
from agents.assistant.understanding.found import Found
from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.tokens import Sentence, Token

_JOINING = frozenset(("of", "de", "the", ".", "-", "'s", "and", "van", "von", "la"))


def leftovers(
    text: str, spoken: Sequence[Sentence], found: Found, lexicon: Lexicon
) -> tuple[Span, ...]:
    """Words that are neither names nor known, those side by side as one, and the unclear ones."""
    spans = list(found.unclear)
    for sentence in spoken:
        for start, end in _runs(text, sentence, found, lexicon):
            relation = _relation_before(sentence, start, lexicon)
            spans.append(Span(text=text[start:end], start=start, end=end, relation=relation))
    return tuple(sorted(spans, key=lambda span: span.start))


def _runs(
    text: str, sentence: Sentence, found: Found, lexicon: Lexicon
) -> Iterator[tuple[int, int]]:
    start = end = -1
    for n, token in enumerate(sentence):
        if _is_unknown(text, token, n, found, lexicon):
            gap = text[end : token.start] if start >= 0 else ""
            if start >= 0 and gap.strip(" .-") not in ("", *_JOINING):
                yield start, end
                start = -1
            start, end = token.start if start < 0 else start, token.end
    if start >= 0:
        yield start, end


def _is_unknown(text: str, token: Token, at: int, found: Found, lexicon: Lexicon) -> bool:
    if token.kind == "mark" or token.start in found.used:
        return False
    if token.kind == "name":
        known = found.parts.issuperset(token.text.casefold().split())
        return not (known or token.items or token.values)
    if token.kind in ("number", "decade"):
        return text[token.start - 1 : token.start] not in ("(", "[")
    if all(part in found.parts for part in token.text.split("-")):
        return False
    if at and text[token.start].isupper() and token.text != "i":
        return not text[token.start : token.end].startswith(("I'", "I’"))
    return token.text not in lexicon.known


def _relation_before(sentence: Sentence, start: int, lexicon: Lexicon) -> str:
    """The relation that was spoken of last before a place."""
    said = ""
    for token in sentence:
        if token.start >= start:
            break
        relations = lexicon.relation.get(token.text, ()) if token.kind == "word" else ()
        said = relations[0] if relations else said
    return said
