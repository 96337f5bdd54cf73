"""Lanes: the requests of one split and kind, numbered, until their quota of Examples is full."""

from dataclasses import dataclass, field
from typing import Protocol, cast

from agents.synthesis.config import SynthConfig
from agents.synthesis.near_duplicates import NearDuplicates
from agents.synthesis.state import Request
from data_engine.schema import SPLITS, Kind, Split

MOST_FAILURES = 512  # requests in a row without a new Example before a lane is given up


class DropRecord(Protocol):
    """Where a lane says which proven Examples it leaves out (a `Ledger`)."""

    def drop(self, lane: str, number: int, why: str) -> None:
        """Store why a proven Example is left out."""
        ...


@dataclass
class Lane:
    """The requests of one split and kind.

    Executors finish them in any order; a lane judges outcomes in number order, so that the rows
    depend on the configuration alone.

    kept: numbers of the Examples that count. next_request: the next number to hand out.
    next_outcome: the next number to judge. failures: requests in a row without a new Example.
    outcomes: number → (identity, MinHash of the words) of those that wait to be judged; the
    identity is "" where no Example was made. identities: those of the kept Examples.
    """

    config: SynthConfig
    split: Split
    kind: Kind
    quota: int
    kept: list[int] = field(default_factory=list)
    next_request: int = 0
    next_outcome: int = 0
    failures: int = 0
    outcomes: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    identities: set[str] = field(default_factory=set)
    near_duplicates: NearDuplicates = field(default_factory=NearDuplicates)

    @property
    def name(self) -> str:
        """ "sft/explicit"."""
        return f"{self.split}/{self.kind}"

    @property
    def done(self) -> bool:
        """Whether the quota is full or given up."""
        return len(self.kept) == self.quota or self.failures >= MOST_FAILURES

    def hand_out(self, most: int) -> list[Request]:
        """Up to `most` new requests.

        They are no more than Examples are missing, and as many again as failed in a row.
        """
        pending = self.next_request - self.next_outcome
        missing = self.quota - len(self.kept) - pending + self.failures
        found: list[Request] = []
        while len(found) < min(most, missing):
            number = self.next_request
            if number not in self.outcomes:
                level = self.config.levels[number % len(self.config.levels)]
                found.append(Request(self.config.seed, self.split, self.kind, level, number))
            self.next_request += 1
        return found

    def judge_outcomes(self, record: DropRecord) -> None:
        """Keep or drop the outcomes that are next in order."""
        while not self.done and self.next_outcome in self.outcomes:
            number = self.next_outcome
            identity, minhash = self.outcomes.pop(number)
            verdict = self._verdict(identity, minhash)
            if verdict == "kept":
                self.kept.append(number)
            self.failures = 0 if verdict == "kept" else self.failures + 1
            if identity and verdict != "kept":
                record.drop(self.name, number, verdict)
            self.next_outcome += 1

    def _verdict(self, identity: str, minhash: bytes) -> str:
        if not identity:
            return "not made"
        if identity in self.identities:
            return "the same as another"
        if self.config.writer != "terse":
            other = self.near_duplicates.find_or_add(str(self.next_outcome), minhash)
            if other is not None:
                return f"nearly the words of number {other}"
        self.identities.add(identity)
        return "kept"


def make_lanes(config: SynthConfig) -> list[Lane]:
    """The lanes of a run that are not empty, by split, then kind."""
    lanes: list[Lane] = []
    for split in cast(tuple[Split, ...], SPLITS):
        for n, kind in enumerate(config.kinds):
            quota = (config.counts.get(split, 0) + n) // len(config.kinds)
            if quota:
                lanes.append(Lane(config, split, kind, quota))
    return lanes
