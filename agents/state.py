"""What travels through the synthesis graph for one Example."""

from dataclasses import dataclass
from typing import TypedDict

from data_engine.schema import Chain, Claim, Condition, Example, Kind, Split


@dataclass(frozen=True)
class Request:
    """One Example to make. All randomness comes from (seed, split, kind, index, attempt), so any worker makes the same one."""

    seed: int
    split: Split
    kind: Kind
    index: int


@dataclass(frozen=True)
class Flaw:
    """A shortcut that this query tempts one to take: the wrong `needs` it leads to and the hop or premise it starts from."""

    name: str
    needs: tuple[Condition, ...]
    opening: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Draft:
    """The facts of an Example before it has words. `opening` are the claims of the hop or premise step, none for explicit."""

    kind: Kind
    user: str
    gold: str
    conditions: tuple[Condition, ...]
    anchors: tuple[str, ...]
    premise: Claim | None
    history: tuple[str, ...]
    opening: tuple[Claim, ...]
    flaws: tuple[Flaw, ...]
    candidates: tuple[str, ...] = ()
    hard: int = 0
    shuffle_seed: int = 0


class SynthState(TypedDict, total=False):
    """The state of the LangGraph. `problems` is what the last verification found; an Example is kept when it is empty."""

    request: Request
    attempt: int
    draft: Draft | None
    query: str
    chains: tuple[Chain, ...]
    example: Example | None
    problems: tuple[str, ...]
