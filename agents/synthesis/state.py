"""Records of one Example in the making: its request, facts, work, and state in the graph."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, TypedDict, cast

from data_engine.schema import Call, Chain, Claim, Condition, Example, Kind, Split, Turn

LUCKY = "right_item_for_a_wrong_reason"  # the one flaw that ends at gold


@dataclass(frozen=True)
class Request:
    """One Example to make.

    All randomness comes from it and the attempt, so that any worker makes the same Example.
    """

    seed: int
    split: Split
    kind: Kind
    level: int
    index: int

    def __str__(self) -> str:
        """The id of the request: "0/sft/explicit/2/17"."""
        return f"{self.seed}/{self.split}/{self.kind}/{self.level}/{self.index}"

    @property
    def place(self) -> tuple[str, int]:
        """(lane, number), as the ledger has them."""
        return f"{self.split}/{self.kind}", self.index

    @classmethod
    def parse(cls, text: str) -> Self:
        """The request of an id."""
        seed, split, kind, level, index = text.split("/")
        return cls(int(seed), cast(Split, split), cast(Kind, kind), int(level), int(index))


@dataclass(frozen=True)
class Flaw:
    """A shortcut that this query tempts one to take.

    needs: the wrong conditions that it leads to. opening: the hop or premise that it starts from.
    """

    name: str
    needs: tuple[Condition, ...]
    opening: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Event:
    """What happens in a turn of a conversation.

    The user reveals or retracts conditions, or corrects the assistant, who suggested `item`.
    """

    act: Literal["reveal", "refine", "retract", "correct"]
    conditions: tuple[Condition, ...]
    item: str = ""


@dataclass(frozen=True)
class Draft:
    """The facts of an Example before it has words.

    opening: claims of the hop or premise step, none for explicit. about: describes the anchor
    where it must not be named. contrast: the part of a comparison that the anchor lacks.
    script: the turns of a conversation. calls: look-ups in the graph. hard: how many candidates
    are hard negatives.
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
    """An attempt that failed: which one, why, and the words it had."""

    attempt: int
    problems: tuple[str, ...]
    query: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The record as the ledger stores it."""
        return asdict(self)


@dataclass
class Work:
    """The work on one request, made again from the request where it is missing."""

    draft: Draft | None = None
    turns: tuple[Turn, ...] = ()
    chains: tuple[Chain, ...] = ()
    example: Example | None = None
    rejects: list[Reject] = field(default_factory=list)


class SynthState(TypedDict, total=False):
    """The state of the LangGraph: ids and counts only.

    wording: how often the words of this attempt were tried again. problems: what the last check
    found; an Example is made when there are none.
    """

    request: str
    attempt: int
    wording: int
    problems: list[str]
