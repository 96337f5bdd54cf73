"""`Facts`: the questions that an item–attribute graph answers, whatever holds its edges.

The graph is read with a local closed-world rule: an edge is false only where the relation is known
for the item and lists other values; where the relation is not known, nobody can say (None).

Two backends answer alike: `graphs.attributes.AttributeGraph` holds dicts and is made for walks over
the whole graph; `graphs.mapped.MappedGraph` holds memory-mapped arrays that processes share, and
compiles conditions to integers.
"""

import re
from collections.abc import Iterable
from typing import Protocol

from data_engine.schema import Condition

_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


def number(name: str) -> float | None:
    """The number that a name is, None for words."""
    return float(name) if _NUMBER.fullmatch(name) else None


def all_hold(verdicts: Iterable[bool | None]) -> bool | None:
    """The conjunction of verdicts: False where one is False, else None where one is None."""
    unknown = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unknown |= verdict is None
    return None if unknown else True


class Facts(Protocol):
    """A read-only item–attribute graph. Items and attributes are given and returned as ids."""

    def values(self, item: str, relation: str) -> tuple[str, ...]:
        """The values that a relation lists for an item, in credit order; () where not known."""
        ...

    def holders(self, relation: str, value: str) -> tuple[str, ...]:
        """The items for which a relation lists a value, in id order."""
        ...

    def judge(self, item: str, condition: Condition) -> bool | None:
        """Whether an item meets a condition; None where the graph cannot say.

        Nothing can be said where the relation is not known for the item, nor of a bound where one
        of the item's values is no number. A bound is met where all values are on that side of it.
        """
        ...

    def states(self, item: str, relation: str, value: str) -> bool | None:
        """Whether the edge is in the graph; None where the relation is not known for the item."""
        known = self.values(item, relation)
        return value in known if known else None

    def has(self, item: str, relation: str, value: str) -> bool:
        """Whether the edge is in the graph. Its absence proves nothing: see `excludes`."""
        return value in self.values(item, relation)

    def excludes(self, item: str, relation: str, value: str) -> bool:
        """Whether the graph proves that the edge is false."""
        return self.states(item, relation, value) is False

    def fits(self, item: str, conditions: Iterable[Condition]) -> bool | None:
        """Whether an item meets every condition: False where it misses one, else None where the
        graph cannot say of one.
        """
        return all_hold(self.judge(item, condition) for condition in conditions)

    def meets(self, item: str, conditions: Iterable[Condition]) -> bool:
        """Whether the graph proves that an item meets every condition."""
        return self.fits(item, conditions) is True

    def misses(self, item: str, conditions: Iterable[Condition]) -> bool:
        """Whether the graph proves that an item misses a condition."""
        return self.fits(item, conditions) is False
