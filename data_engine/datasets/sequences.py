"""Next-item sequences: what each user did, oldest first, and which of it is learned from, watched
and tested on.

Every interaction counts, liked or not: what comes next is what is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from data_engine.datasets.splits import global_time, leave_last_out
from data_engine.errors import DataError
from data_engine.graphs.interactions import InteractionGraph

Cut = Literal["time", "last"]
TRAIN, VALIDATION, TEST = 0, 1, 2


class Next(NamedTuple):
    """A user (by number), all items of theirs before a moment, oldest first, and the one that came
    then.
    """

    user: int
    history: np.ndarray
    target: int


@dataclass(frozen=True)
class Sequences:
    """`rows[u]` are the item numbers (into `items`) of user u, oldest first, `parts[u]` 0 train, 1
    validation, 2 test for each of them.

    `ordered` is false where the data has no times and the order is that of the item ids: nothing
    can be learned from it.
    """

    items: list[str]
    rows: list[np.ndarray]
    parts: list[np.ndarray]
    ordered: bool

    @classmethod
    def of(cls, graph: InteractionGraph, cut: Cut) -> "Sequences":
        """Cut at two moments for all ("time", 8:1:1), or at each user's last two ("last"). Raises
        DataError for a cut by time without times.
        """
        if cut == "time" and not graph.has_time:
            raise DataError("these interactions have no times to be cut by: use --cut last")
        split = global_time(graph) if cut == "time" else leave_last_out(graph)
        ends = np.flatnonzero(np.diff(graph.user)) + 1
        return cls(graph.items, np.split(graph.item, ends), np.split(split, ends), graph.has_time)

    def train(self) -> list[np.ndarray]:
        """What may be learned from, a sequence a user; a single item teaches nothing and is left
        out.
        """
        kept = [row[part == 0] for row, part in zip(self.rows, self.parts, strict=True)]
        return [row for row in kept if len(row) > 1]

    def nexts(self, part: int) -> Iterator[Next]:
        """Every interaction of a part with what went before it; without a history there is no
        question.
        """
        for user, (row, parts) in enumerate(zip(self.rows, self.parts, strict=True)):
            for at in np.flatnonzero(parts == part):
                if at:
                    yield Next(user, row[:at], int(row[at]))
