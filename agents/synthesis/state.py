"""What travels through the synthesis graph, and what lies on its desk, for one Example."""

from dataclasses import asdict, dataclass, field
from typing import Literal, Self, TypedDict

from data_engine.schema import Call, Chain, Claim, Condition, Example, Kind, Split, Turn

LUCKY = "right_item_for_a_wrong_reason"  # the one flaw that ends at gold


@dataclass(frozen=True)
class Request:
    """One Example to make. All randomness comes from it and the attempt, so any worker makes the same one."""

    seed: int
    split: Split
    kind: Kind
    level: int
    index: int

    def __str__(self) -> str:
        """The id of its work: "0/sft/explicit/2/17"."""
        return f"{self.seed}/{self.split}/{self.kind}/{self.level}/{self.index}"

    @property
    def place(self) -> tuple[str, int]:
        """(lane, number)."""
        return f"{self.split}/{self.kind}", self.index

    @classmethod
    def parse(cls, text: str) -> Self:
        """The request of an id."""
        seed, split, kind, level, index = text.split("/")
        return cls(int(seed), split, kind, int(level), int(index))


@dataclass(frozen=True)
class Flaw:
    """A shortcut that this query tempts one to take: the wrong `needs` it leads to and the hop or premise it starts from."""

    name: str
    needs: tuple[Condition, ...]
    opening: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Event:
    """What happens in a turn of a conversation: the user reveals or retracts conditions, or corrects the assistant, who suggested `item`."""

    act: Literal["reveal", "refine", "retract", "correct"]
    conditions: tuple[Condition, ...]
    item: str = ""


@dataclass(frozen=True)
class Draft:
    """The facts of an Example before it has words. `opening` are the claims of the hop or premise step, none for explicit; `about` describes
    the anchor where it must not be named; `contrast` is the part of a comparison that the anchor lacks.
    """

    kind: Kind
    user: str
    gold: str
    conditions: tuple[Condition, ...]
    anchors: tuple[str, ...]
    premise: Claim | None
    history: tuple[str, ...]
    opening: tuple[Claim, ...]
    flaws: tuple[Flaw, ...]
    about: tuple[Condition, ...] = ()
    contrast: Condition | None = None
    script: tuple[Event, ...] = ()
    calls: tuple[Call, ...] = ()
    level: int = 2
    candidates: tuple[str, ...] = ()
    hard: int = 0
    shuffle_seed: int = 0


@dataclass(frozen=True)
class Reject:
    """An attempt that came to nothing: which, its reasons, and the words it had."""

    attempt: int
    problems: tuple[str, ...]
    query: str = ""

    def as_dict(self) -> dict:
        """For the ledger."""
        return asdict(self)


@dataclass
class Work:
    """The payload of one request while it is being made. It is made again from the request where it is missing (after a kill -9)."""

    draft: Draft | None = None
    turns: tuple[Turn, ...] = ()
    chains: tuple[Chain, ...] = ()
    example: Example | None = None
    rejects: list[Reject] = field(default_factory=list)


class SynthState(TypedDict, total=False):
    """The state of the LangGraph, ids only: the request's, the attempt, how often its words were tried, and what the last judgement found.
    An Example is kept when that is empty."""

    request: str
    attempt: int
    wording: int
    problems: list[str]
