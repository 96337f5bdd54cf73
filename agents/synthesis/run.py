"""Synthesis at the scale of a data set: quotas per split and kind, no duplicates, the same rows in the same order for any number of workers.

Each (split, kind) is a lane of numbered requests. Makers make them in any order; a lane takes the outcomes in number order until its quota is
full, so that the rows depend on the configuration alone. Outcomes are in the ledger as soon as they are there.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from agents.llm.config import ChatConfig
from agents.synthesis.executors import WRITERS, Maker, make_maker
from agents.synthesis.kinds import check_kind
from agents.synthesis.ledger import Ledger, Outcome
from agents.synthesis.likeness import Likeness
from agents.synthesis.sampling import World
from agents.synthesis.state import Request
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.config import Config
from data_engine.schema import SPLITS, Example, Kind, Split, content_hash

BARREN = 512  # requests in a row without a new Example before a lane is given up
USUAL: tuple[Kind, ...] = ("explicit", "implicit", "misinformed", "interest")


class SynthConfig(Config):
    """How many Examples of each split, over which kinds (shared evenly) and levels (in turn), with how many candidates each, gold included.

    `writer` chat needs `chat`. `workers` processes or, with `ray`, tasks of a Ray cluster; they do not change the rows.
    """

    counts: dict[Split, int]
    kinds: tuple[Kind, ...] = USUAL
    levels: tuple[int, ...] = Field((2,), min_length=1)
    candidates: int = Field(6, ge=2, le=100)
    writer: Literal["template", "terse", "chat"] = "template"
    chat: ChatConfig | None = None
    seed: int = 0
    workers: int = Field(2, ge=1)
    ray: bool = False
    checkpoints: str | None = None

    @field_validator("counts")
    @classmethod
    def _not_negative(cls, counts: dict[Split, int]) -> dict[Split, int]:
        if any(n < 0 for n in counts.values()) or not sum(counts.values()):
            raise ValueError("counts must not be negative, and one at least must be above zero")
        return counts

    @field_validator("kinds")
    @classmethod
    def _each_once(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if not kinds or len(set(kinds)) < len(kinds):
            raise ValueError("name at least one kind, and each once")
        return kinds

    @field_validator("levels")
    @classmethod
    def _in_range(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        if not set(levels) <= {1, 2, 3}:
            raise ValueError("levels are 1, 2 and 3")
        return levels

    def digest(self, graph_digest: str) -> str:
        """Name of the rows: all that decides them."""
        decides = self.model_dump(mode="json", exclude={"workers", "ray", "chat", "checkpoints"})
        return content_hash(
            [
                decides,
                self.chat and self.chat.asked(),
                WRITERS[self.writer].prompt_hash,
                graph_digest,
            ]
        )


@dataclass
class Lane:
    """The requests of one split and kind. `next` is the next number to hand out, `taken` the next to take."""

    config: SynthConfig
    split: Split
    kind: Kind
    quota: int
    kept: list[int] = field(default_factory=list)
    next: int = 0
    taken: int = 0
    barren: int = 0
    waiting: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    likeness: Likeness = field(default_factory=Likeness)

    @property
    def name(self) -> str:
        """ "sft/explicit"."""
        return f"{self.split}/{self.kind}"

    @property
    def full(self) -> bool:
        """Whether nothing more is to be done."""
        return len(self.kept) == self.quota or self.barren >= BARREN

    def hand_out(self, most: int) -> list[Request]:
        """Up to `most` requests, no more than are missing, and as many again as came to nothing in a row."""
        missing = self.quota - len(self.kept) - (self.next - self.taken) + self.barren
        found: list[Request] = []
        while len(found) < min(most, missing):
            if self.next not in self.waiting:
                level = self.config.levels[self.next % len(self.config.levels)]
                found.append(Request(self.config.seed, self.split, self.kind, level, self.next))
            self.next += 1
        return found

    def take(self, ledger: Ledger) -> None:
        """Judge the outcomes that are next in line."""
        while not self.full and self.taken in self.waiting:
            identity, hashed = self.waiting.pop(self.taken)
            verdict = self._verdict(identity, hashed)
            if verdict == "kept":
                self.kept.append(self.taken)
            self.barren = 0 if verdict == "kept" else self.barren + 1
            if identity and verdict != "kept":
                ledger.drop(self.name, self.taken, verdict)
            self.taken += 1

    def _verdict(self, identity: str, hashed: bytes) -> str:
        if not identity:
            return "not made"
        if identity in self.seen:
            return "the same as another"
        if self.config.writer != "terse" and (other := self.likeness.like(str(self.taken), hashed)):
            return f"nearly the words of number {other}"
        self.seen.add(identity)
        return "kept"


@dataclass
class Made:
    """The Examples of a finished run, in order, read from its ledger each time."""

    path: Path
    lanes: dict[tuple[Split, Kind], int]

    def __iter__(self) -> Iterator[Example]:
        """By split, then kind, then number."""
        with Ledger(self.path) as ledger:
            yield from ledger.examples()

    def __len__(self) -> int:
        return sum(self.lanes.values())


def ledger_path(store: Path) -> Path:
    """Where the ledger of a store lies."""
    return store.with_name(f"{store.name}.synth") / "ledger.sqlite"


def synthesise(
    store: Path,
    config: SynthConfig,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Made:
    """Make all Examples. `progress` hears (kept, wanted). A run that was cut short goes on from its ledger.

    Raises UnsupportedKind for a kind the data cannot carry, DataError when a quota cannot be filled (it says how far it got), and
    EndpointDown or BudgetSpent of a chat writer.
    """
    world = World(Evidence.load(store))
    for kind in config.kinds:
        check_kind(kind, world)
    lanes = [
        Lane(config, split, kind, quota)
        for split in SPLITS
        for n, kind in enumerate(config.kinds)
        if (quota := (config.counts.get(split, 0) + n) // len(config.kinds))
    ]
    path, total = ledger_path(store), sum(lane.quota for lane in lanes)
    with Ledger(
        path, config.digest(world.evidence.digest), config.model_dump(mode="json")
    ) as ledger:
        for lane in lanes:
            lane.waiting = {
                number: (identity, hashed) for number, identity, hashed in ledger.known(lane.name)
            }
            lane.take(ledger)
            lane.next = lane.taken
        if not all(lane.full for lane in lanes):
            with make_maker(store, config, world, ledger) as maker:
                _make(lanes, maker, ledger, _Teller(lanes, total, progress))
        if short := next((lane for lane in lanes if len(lane.kept) < lane.quota), None):
            raise DataError(
                f"only {len(short.kept)} of {short.quota} {short.kind} queries of split {short.split} could be made and proven from this catalogue: "
                f"ask for fewer, leave the kind out, or import more data"
            )
        ledger.keep((lane.name, number) for lane in lanes for number in lane.kept)
    return Made(path, {(lane.split, lane.kind): lane.quota for lane in lanes})


@dataclass
class _Teller:
    """Tells of progress when a hundredth more is done."""

    lanes: list[Lane]
    total: int
    progress: Callable[[int, int], None]
    told: int = -1

    def __call__(self) -> None:
        kept = sum(len(lane.kept) for lane in self.lanes)
        if kept * 100 // self.total > self.told * 100 // self.total or self.told < 0:
            self.told = kept
            self.progress(kept, self.total)


def _make(lanes: list[Lane], maker: Maker, ledger: Ledger, tell: Callable[[], None]) -> None:
    """Hand out requests, as many at a time as the maker takes, until every lane is full."""
    pending: dict[Future[list[Outcome]], Lane] = {}
    while True:
        for lane in lanes:
            while (
                not lane.full
                and len(pending) < maker.width
                and (requests := lane.hand_out(maker.chunk))
            ):
                pending[maker.submit(requests)] = lane
        if not pending or all(lane.full for lane in lanes):
            return
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            lane, outcomes = pending.pop(future), future.result()
            ledger.put(lane.name, outcomes)
            lane.waiting |= {
                Request.parse(o.request).index: (o.identity, o.shingles) for o in outcomes
            }
            lane.take(ledger)
            maker.forget(outcomes)
        tell()
