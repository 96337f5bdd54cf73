"""The task of RPORec (arXiv 2605.21967): think about what a user will want next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from data_engine.datasets.sequences import Cut
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.tasks.base import Row, Task


@dataclass(frozen=True)
class NextItem(Task):
    """Histories of users; a RecHead scores the response.

    cut: which interactions may be learned from. queries: training moments, evenly over all.
    """

    agent_loop: ClassVar[str] = "rporec"
    cut: Cut
    queries: int

    def rows(
        self, examples: Mapping[str, Sequence[Example]], evidence: Evidence
    ) -> dict[str, list[Row]]:
        """verl rows by split, from the store's interactions: Examples are not looked at."""
        from train.sequential.queries import next_rows  # torch takes seconds to import

        return next_rows(evidence, self.cut, self.queries)

    def sample(self, examples: Sequence[Example], evidence: Evidence, most: int) -> list[Row]:
        """So many moments, evenly over all."""
        return replace(self, queries=most).rows({}, evidence)["rl"]

    @property
    def how_to_get_more(self) -> str:
        """The advice to somebody with too few queries."""
        return "import more interactions"
