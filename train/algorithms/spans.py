"""From characters to tokens, exactly: which token holds which characters of the decoded response.

Nothing is tokenised a second time: what a token adds is read off the decoded text, for a token
may decode to something else alone than after others. Metaspace decoders (SentencePiece) take away
the space before the first word, WordPiece sets one and cleans up, a character may lie in several
tokens.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from os.path import commonprefix
from typing import Any, Protocol

CONTEXT = 4  # stretches of text before a token that its decoding may depend on
UNFINISHED = 4  # tokens that a character can lie in: it has at most four bytes
Decode = Callable[[tuple[int, ...]], str]


class Tokenizer(Protocol):
    """The part of a Hugging Face tokenizer that is needed here."""

    def decode(self, ids: Any, *, skip_special_tokens: bool) -> Any:
        """The text of token ids."""


def decoder(tokenizer: Tokenizer) -> Decode:
    """The tokenizer's decode without special tokens; short texts are cached."""

    def decode(part: tuple[int, ...]) -> str:
        return tokenizer.decode(list(part), skip_special_tokens=True)

    cached = lru_cache(maxsize=1 << 18)(decode)

    def decode_cached(part: tuple[int, ...]) -> str:
        return (cached if len(part) <= UNFINISHED else decode)(part)

    return decode_cached


def token_spans(ids: Sequence[int], decode: Decode) -> tuple[str, list[tuple[int, int]]]:
    """The decoded text and each token's (start, end) characters in it.

    No two spans overlap, and together they are all of the text. A token that completes no
    character (part of a multi-byte one) has an empty span; the token that completes it has it
    all. The time is linear in the number of tokens, but for bytes that are no text (n log n).
    """
    ids = tuple(ids)
    text = decode(ids)
    pieces = _pieces_alone(text, ids, decode)
    if "".join(pieces) != text:
        pieces = _pieces_in_context(text, ids, decode)
    ends = list(accumulate(map(len, pieces)))
    return text, list(zip([0, *ends], ends, strict=False))


def tokens_within(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Indices of the tokens that hold at least one character of start..end.

    Neither the starts nor the ends of `spans` may ever fall.
    """
    first = bisect_right(spans, start, key=itemgetter(1))
    return list(range(first, bisect_left(spans, end, key=itemgetter(0))))


def _pieces_alone(text: str, ids: tuple[int, ...], decode: Decode) -> list[str]:
    """The text of each token decoded by itself, as far as that agrees with the whole text.

    A token may hold a space and the first byte of the next character: the space is its own.
    """
    pieces, at, first = [""] * len(ids), 0, 0
    begun = 0  # characters of the stretch first..k that have a token already
    for k in range(len(ids)):
        piece = decode(ids[first : k + 1])
        if text.startswith(piece, at) and _is_finished(piece, ids, first, k, decode):
            pieces[k] = piece[begun:]
            at, first, begun = at + len(piece), k + 1, 0
        elif k + 1 - first == UNFINISHED:
            break
        elif text.startswith(whole := piece.rstrip("\ufffd"), at):
            pieces[k] = whole[begun:]
            begun = max(begun, len(whole))
    return pieces


def _pieces_in_context(text: str, ids: tuple[int, ...], decode: Decode) -> list[str]:
    """The text that each token adds after others, with spaces that decoding a part takes away."""
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
    """The text that tokens first..k add at `at`, decoded with those from `context` on.

    None where they end in the middle of a character.
    """
    alone = decode(ids[first : k + 1])
    if alone and not alone[0].isspace():  # else spaces may be missing that look like its own
        for piece in (alone, f" {alone}"):
            if text.startswith(piece, at) and _is_finished(alone, ids, first, k, decode):
                return piece
    before, both = decode(ids[context:first]), decode(ids[context : k + 1])
    piece = both[len(before) :]
    agrees = both.startswith(before) and text.startswith(piece, at)
    if agrees and _is_finished(both, ids, context, k, decode):
        return piece
    pending = k + 1 - first
    if pending > UNFINISHED and pending.bit_count() == 1:  # seldom: decoding the whole takes time
        agreed = len(commonprefix([decode(ids[: k + 1]), text]))
        return text[at:agreed] if agreed > at else None
    return None


def _is_finished(decoded: str, ids: tuple[int, ...], first: int, k: int, decode: Decode) -> bool:
    """Whether the decoded text of tokens first..k ends with a whole character.

    U+FFFD stands for an unfinished character too, and may then become another with one of the next
    tokens.
    """
    if not decoded.endswith("\ufffd"):
        return True
    marks = len(decoded) - len(decoded.rstrip("\ufffd"))  # three bytes each, where they are meant
    reach = min(k + UNFINISHED * marks, len(ids))
    return all(decode(ids[first : n + 1]) != decoded for n in range(k + 1, reach))
