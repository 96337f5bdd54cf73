"""Decisions in words: "so it is out", "it fits"."""

import re

from data_engine.responses.joined import places
from data_engine.responses.lexicon import pattern, words
from data_engine.responses.statements import Statement
from data_engine.responses.tokens import Token, joined_shape

_MISFIT = re.compile(
    r"(?<!\S)I (?:does not (?:fit|qualify|match|work|meet (?:the request|all conditions|every "
    r"condition|both))|is not (?:a match|a fit|it|the one|what is (?:wanted|needed|asked for)))"
    r"(?= (?:,|and|so|because|since|as|\)|either|then|for)|$)"
)

_ORDER = re.compile(r"(?<!\S)(?:(I) (?:keep|skip)|(?:keep|skip) I)(?=$| ,| \.| because| as| since)")


def decisions(tokens: list[Token]) -> list[Statement]:
    """The decisions of a part of a sentence."""
    shape, index = joined_shape(tokens), places(tokens)
    found: list[Statement] = []
    for word, key in (("keep", "keep"), ("skip", "skip"), ("keep", "keep_object")):
        for match in pattern("decisions", key).finditer(shape):
            first = index[match.start()]
            end = first + match[0].count(" ") + 1
            if _stands_alone(tokens, first, end):
                found += _decided(tokens[first:end], word)
    for match in _MISFIT.finditer(shape):
        first = index[match.start()]
        found += _decided(tokens[first : first + match[0].count(" ") + 1], "skip")
    for match in _ORDER.finditer(shape):
        first = index[match.start()]
        order = tokens[first + (match[1] is not None)]
        whom = next(t for t in tokens[first : first + 2] if t.kind == "item")
        found += [
            s._replace(start=order.start, end=order.end) for s in _decided([whom], order.text)
        ]
    return found


def _stands_alone(tokens: list[Token], first: int, end: int) -> bool:
    """Whether nothing before or after the words at first..end makes something else of them."""
    if end < len(tokens) and tokens[end].text not in words("decisions", "after"):
        return False
    unfit = ("not", "to", "of", "unlike", "like", "than")
    return not (first and tokens[first - 1].text in unfit)


def _decided(inside: list[Token], word: str) -> list[Statement]:
    items = [str(one) for token in inside if token.kind == "item" for one in token.ids]
    if not items:
        return []
    start, end = inside[0].start, inside[-1].end
    return [Statement("decision", start, end, tuple(items), word=word)]
