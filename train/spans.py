"""From characters to tokens, exactly: which token holds which characters of the decoded response.

The response ids are decoded incrementally; nothing is tokenised a second time, so the result is right for any tokenizer.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter


def token_spans(ids: Sequence[int], decode: Callable[[tuple[int, ...]], str]) -> tuple[str, list[tuple[int, int]]]:
    """The decoded text and each token's (start, end) characters in it.

    A token that completes no character (part of a multi-byte one) has an empty span; the token that completes it has it all.
    """
    text, spans, pending = "", [], ()
    for token in ids:
        pending = (*pending, token)
        piece = decode(pending)
        if piece.endswith("\ufffd"):  # an unfinished multi-byte character
            spans.append((len(text), len(text)))
            continue
        spans.append((len(text), len(text) + len(piece)))
        text, pending = text + piece, ()
    return text + (decode(pending) if pending else ""), spans


def spread(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Indices of the tokens that hold at least one character of start..end; neither starts nor ends of `spans` ever fall."""
    return list(range(bisect_right(spans, start, key=itemgetter(1)), bisect_left(spans, end, key=itemgetter(0))))
