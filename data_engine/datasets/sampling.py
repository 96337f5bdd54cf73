"""A part of a sequence, taken evenly over all of it."""

from collections.abc import Sequence
from typing import TypeVar

Row = TypeVar("Row")


def evenly(rows: Sequence[Row], most: int, *, between: bool = False) -> list[Row]:
    """At most `most` of the rows, in order, evenly over all.

    between: the rows half way between those that would be taken without it. No row is in both
    where there are at least twice as many as are taken.
    """
    if len(rows) <= most:
        return list(rows)
    return [rows[(2 * k + between) * len(rows) // (2 * most)] for k in range(most)]
