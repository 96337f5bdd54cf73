"""The central record: `Example`, one query with its proof, and the parts it is made of.

Everything else (verl rows, prompts, scores) is derived from it. Records are frozen, versioned and named by their content.
"""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

VERSION = 1
KINDS = ("explicit", "implicit", "misinformed", "interest", "demographics")
SPLITS = ("sft", "rl", "validation", "test")
Kind = Literal["explicit", "implicit", "misinformed", "interest", "demographics"]
Split = Literal["sft", "rl", "validation", "test", "benchmark"]  # benchmark: read from elsewhere, to evaluate on


class Record(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Record):
    """An item meets it when the edge (item, relation, value) is in the attribute graph. `value` is an attribute id, `name` its surface."""

    relation: str
    value: str
    name: str


class Claim(Record):
    """What a reasoning step asserts.

    fact: item `subject` has (`holds`) or lacks the edge (`relation`, `value`). need: the query asks for (`relation`, `value`).
    keep: item `subject` meets (`holds`) or misses at least one thing the query asks for.
    """

    kind: Literal["fact", "need", "keep"]
    subject: str = ""
    relation: str = ""
    value: str = ""
    holds: bool = True


class Step(Record):
    """One line of reasoning. `label` is decided by the graph alone; `evidence` are the (item, relation, value) edges that decide it."""

    role: Literal["hop", "premise", "need", "candidate"]
    text: str
    claims: tuple[Claim, ...]
    label: Literal["correct", "wrong"]
    evidence: tuple[tuple[str, str, str], ...] = ()


class Chain(Record):
    """A whole line of thought and the item it ends with. `flaw` names what went wrong, "" for the gold chain."""

    flaw: str = ""
    steps: tuple[Step, ...]
    answer: str


class Provenance(Record):
    """Where an Example came from: enough to make it again byte for byte."""

    seed: int
    graph_digest: str
    writer: str
    prompt_hash: str


class Example(Record):
    """One recommendation request with its candidates, its gold and its labelled reasoning.

    `conditions` are the true ones, whatever the query says; `anchors` the items that the query names; `premise` the false
    fact of a misinformed query. `history` are liked items, oldest first. `difficulty` is a prior in 0..1 (curriculum).
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
    history: tuple[str, ...] = ()
    candidates: tuple[str, ...]
    shuffle_seed: int
    gold: tuple[str, ...]
    chains: tuple[Chain, ...]
    difficulty: float
    split: Split
    provenance: Provenance

    @property
    def gold_position(self) -> int:
        """0-based place of the first gold item among the candidates."""
        return self.candidates.index(self.gold[0])

    def named(self) -> "Example":
        """The same Example with its content hash (16 hex digits over every other field) as `example_id`."""
        return self.model_copy(update={"example_id": content_hash(self.model_dump(mode="json", exclude={"example_id"}))})


def content_hash(value: object, digits: int = 16) -> str:
    """First hex `digits` of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
