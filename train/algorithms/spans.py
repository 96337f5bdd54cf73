"""From characters to tokens, exactly: which token holds which characters of the decoded response.

Nothing is tokenised a second time: what a token adds is read off the decoded text, for a token may
decode to something else alone than after others. Metaspace decoders (SentencePiece) take away the
space before the first word, WordPiece sets one and cleans up, a character may lie in several tokens.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from os.path import commonprefix

CONTEXT = 4  # stretches of text before a token that its decoding may depend on
UNFINISHED = 4  # tokens that a character can lie in: it has at most four bytes
Decode = Callable[[tuple[int, ...]], str]


def decoder(tokenizer: object) -> Decode:
    """A tokenizer's decode, less special tokens; what single tokens and short runs say is kept."""

    def decode(part: tuple[int, ...]) -> str:
        return tokenizer.decode(list(part), skip_special_tokens=True)

    known = lru_cache(maxsize=1 << 18)(decode)
    return lambda part: (known if len(part) <= UNFINISHED else decode)(part)


def token_spans(ids: Sequence[int], decode: Decode) -> tuple[str, list[tuple[int, int]]]:
    """The decoded text and each token's (start, end) characters in it: no two overlap, and together
    they are all of it.

    A token that completes no character (part of a multi-byte one) has an empty span; the token that
    completes it has it all. The time is linear in the number of tokens, but for bytes that are no
    text (n log n).
    """
    ids = tuple(ids)
    text = decode(ids)
    pieces = _alone(text, ids, decode)
    if "".join(pieces) != text:
        pieces = _together(text, ids, decode)
    ends = list(accumulate(map(len, pieces)))
    return text, list(zip([0, *ends], ends, strict=False))


def spread(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Indices of the tokens that hold at least one character of start..end; neither starts nor ends of `spans` ever fall."""
    return list(
        range(
            bisect_right(spans, start, key=itemgetter(1)),
            bisect_left(spans, end, key=itemgetter(0)),
        )
    )


def _alone(text: str, ids: tuple[int, ...], decode: Decode) -> list[str]:
    """What each token says by itself, as byte-level tokenizers read it, as far as that is the text."""
    pieces, at, first = [""] * len(ids), 0, 0
    for k in range(len(ids)):
        piece = decode(ids[first : k + 1])
        if text.startswith(piece, at) and _finished(piece, ids, first, k, decode):
            pieces[k] = piece
            at, first = at + len(piece), k + 1
        elif k + 1 - first == UNFINISHED:
            break
    return pieces


def _together(text: str, ids: tuple[int, ...], decode: Decode) -> list[str]:
    """What each token adds to the text, which tells the spaces that decoding a part took away."""
    pieces, at, first = [""] * len(ids), 0, 0
    before: deque[int] = deque(maxlen=CONTEXT)  # first tokens of the last stretches
    for k in range(len(ids)):
        piece = _added(text, at, ids, first, k, before[0] if before else 0, decode)
        if piece is None:
            continue
        pieces[k] = piece
        at += len(piece)
        if piece:
            before.append(first)
        first = k + 1
    if ids:
        pieces[-1] += text[at:]
    return pieces


def _added(
    text: str, at: int, ids: tuple[int, ...], first: int, k: int, context: int, decode: Decode
) -> str | None:
    """What the tokens first..k add to the text at `at`, by those from `context` on; None where they
    end in the middle of a character."""
    alone = decode(ids[first : k + 1])
    if alone and not alone[0].isspace():  # else spaces may be missing that look like its own
        for piece in (alone, f" {alone}"):
            if text.startswith(piece, at) and _finished(alone, ids, first, k, decode):
                return piece
    before, both = decode(ids[context:first]), decode(ids[context : k + 1])
    piece = both[len(before) :]
    if (
        both.startswith(before)
        and text.startswith(piece, at)
        and _finished(both, ids, context, k, decode)
    ):
        return piece
    waiting = k + 1 - first
    if waiting > UNFINISHED and waiting.bit_count() == 1:  # now and then: the whole takes its time
        settled = len(commonprefix([decode(ids[: k + 1]), text]))
        return text[at:settled] if settled > at else None
    return None


def _finished(said: str, ids: tuple[int, ...], first: int, k: int, decode: Decode) -> bool:
    """Whether what the tokens first..k say is all: U+FFFD stands for an unfinished character too, and
    may then be no other with one of the next tokens."""
    if not said.endswith("\ufffd"):
        return True
    marks = len(said) - len(said.rstrip("\ufffd"))  # three bytes each, where they are meant
    reach = min(k + UNFINISHED * marks, len(ids))
    return all(decode(ids[first : n + 1]) != said for n in range(k + 1, reach))
