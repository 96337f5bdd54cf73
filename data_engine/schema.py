"""The central record: `Example`, one query with its proof, and the parts it is made of.

Everything else (verl rows, prompts, scores) is derived from it. Records are frozen, versioned and
named by their content.
"""

import hashlib
from typing import Any, Literal, get_args

import msgspec
from pydantic import BaseModel, ConfigDict

VERSION = 2
Kind = Literal[
    "explicit",
    "implicit",
    "misinformed",
    "interest",
    "demographics",
    "negation",
    "numeric",
    "comparison",
    "conversation",
    "tools",
]
KINDS: tuple[str, ...] = get_args(Kind)
SPLITS = ("sft", "rl", "validation", "test")
Op = Literal["is", "not", "below", "above"]
Split = Literal[
    "sft", "rl", "validation", "test", "benchmark"
]  # benchmark: read from elsewhere, to evaluate on


class Record(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Record):
    """is, not: an item meets it when the edge (item, relation, value) is, or is not, in the
    attribute graph; `value` is an attribute id, `name` its surface. below, above: when the item's
    values of the relation are numbers and all on that side of the number `value`.
    """

    relation: str
    value: str
    name: str
    op: Op = "is"


class Claim(Record):
    """What a reasoning step asserts.

    fact: item `subject` has (`holds`) or lacks the edge (`relation`, `value`). need: the query asks
    for (`op`, `relation`, `value`). keep: item `subject` meets (`holds`) or misses at least one
    thing the query asks for.
    """

    kind: Literal["fact", "need", "keep"]
    subject: str = ""
    relation: str = ""
    value: str = ""
    op: Op = "is"
    holds: bool = True


Role = Literal["hop", "premise", "call", "need", "candidate"]
Proof = tuple[str, str, str]  # an edge: (item, relation, value)


class Step(Record):
    """One line of reasoning. `label` is decided by the graph alone; `evidence` are the (item,
    relation, value) edges that decide it.
    """

    role: Role
    text: str
    claims: tuple[Claim, ...]
    label: Literal["correct", "wrong"]
    evidence: tuple[Proof, ...] = ()


class Chain(Record):
    """A whole line of thought and the item it ends with. `flaw` names what went wrong, "" for the
    gold chain.
    """

    flaw: str = ""
    steps: tuple[Step, ...]
    answer: str


class Turn(Record):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    text: str


class Call(Record):
    """A look-up in the graph and what it gave: lookup(item, relation) → attribute ids;
    holders(relation, value) → the candidates that have it.
    """

    tool: Literal["lookup", "holders"]
    relation: str
    item: str = ""
    value: str = ""
    result: tuple[str, ...]


class Provenance(Record):
    """Where an Example came from: enough to make it again byte for byte.

    `critic` names the offline critic by its weights and limits, "" where there was none.
    """

    seed: int
    graph_digest: str
    writer: str
    prompt_hash: str
    critic: str = ""


class Example(Record):
    """One recommendation request with its candidates, its gold and its labelled reasoning.

    `conditions` are the true ones, whatever the query says; `anchors` the items that the query
    names or hints at; `premise` the false fact of a misinformed query. `turns` are the messages of
    a conversation, of which `query` is the last; `calls` the look-ups of a tool-using one.
    `history` are liked items, oldest first. `level` is the difficulty that was asked for, 1..3, and
    `difficulty` the prior that came of it, in 0..1 (curriculum). `style` is the register of the
    words: plain, chatty, terse or formal, "" where none was chosen.
    """

    version: int = VERSION
    example_id: str = ""
    domain: str
    kind: Kind
    user: str
    query: str
    conditions: tuple[Condition, ...]
    anchors: tuple[str, ...] = ()
    premise: Claim | None = None
    turns: tuple[Turn, ...] = ()
    calls: tuple[Call, ...] = ()
    history: tuple[str, ...] = ()
    candidates: tuple[str, ...]
    shuffle_seed: int
    gold: tuple[str, ...]
    chains: tuple[Chain, ...]
    level: int = 2
    difficulty: float
    split: Split
    style: str = ""
    provenance: Provenance

    @property
    def said(self) -> str:
        """All that the query says, whatever turn says it."""
        return "\n".join(turn.text for turn in self.turns) or self.query

    @property
    def gold_position(self) -> int:
        """0-based place of the first gold item among the candidates."""
        return self.candidates.index(self.gold[0])

    def named(self) -> "Example":
        """The same Example with its content hash (16 hex digits over every other field) as
        `example_id`.

        An empty `style` or `critic` is left out, so that Examples made before there was one keep
        their id.
        """
        unnamed: dict[str, Any] = {"example_id": True}
        if not self.style:
            unnamed["style"] = True
        if not self.provenance.critic:
            unnamed["provenance"] = {"critic"}
        return self.model_copy(
            update={"example_id": content_hash(self.model_dump(mode="json", exclude=unnamed))}
        )


def content_hash(value: object, digits: int = 16) -> str:
    """First hex `digits` of the SHA-256 of `value` as canonical JSON: keys sorted, no spaces,
    UTF-8.
    """
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:digits]
