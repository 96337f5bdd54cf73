"""Judged spans of a text that may overlap, as marks that do not."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby


def worst(
    spans: Iterable[tuple[int, int, str]], order: Sequence[str], length: int
) -> Iterator[tuple[int, int, str]]:
    """(start, end, verdict) of each stretch of characters, left to right: of what overlaps, the
    worst verdict.

    order: all verdicts, the worst last. length: characters of the text.
    """
    ranks = bytearray(length)  # 0: nothing is said of the character
    for start, end, verdict in spans:
        rank = order.index(verdict) + 1
        ranks[start:end] = bytes(max(rank, known) for known in ranks[start:end])
    at = 0
    for rank, run in groupby(ranks):
        end = at + len(list(run))
        if rank:
            yield at, end, order[rank - 1]
        at = end
