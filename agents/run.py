"""Synthesis at the scale of a data set: quotas per split and kind, worker processes, no duplicates, the same order always.

Requests are numbered; workers make them in any order and the results are taken in number order until the quota is full. So
the rows depend on the seed alone, not on the number of workers.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agents.graph import build_graph
from agents.kinds import DRAFTS, check_kind
from agents.nodes import Nodes
from agents.sampling import World
from agents.state import Request
from agents.writers.template import TemplateWriter
from data_engine.errors import DataError
from data_engine.evidence import Evidence
from data_engine.schema import SPLITS, Example, Kind, Split

CHUNK = 64
BARREN = 8  # chunks in a row without a new Example before a quota is given up


class SynthConfig(BaseModel):
    """How many Examples of each split, over which kinds (shared evenly), with how many candidates each, gold included."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    counts: dict[Split, int]
    kinds: tuple[Kind, ...] = tuple(DRAFTS)
    candidates: int = Field(6, ge=2, le=100)
    seed: int = 0
    workers: int = Field(2, ge=1)

    @field_validator("counts")
    @classmethod
    def _not_negative(cls, counts: dict[Split, int]) -> dict[Split, int]:
        if any(n < 0 for n in counts.values()) or not sum(counts.values()):
            raise ValueError("counts must not be negative, and one at least must be above zero")
        return counts


def synthesise(store: Path, config: SynthConfig, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Example]:
    """All Examples, by split, then kind, then number. `progress` hears (kept, wanted).

    Raises UnsupportedKind for a kind the data cannot carry, DataError when a quota cannot be filled (it says how far it got).
    """
    world = World(Evidence.load(store))
    for kind in config.kinds:
        check_kind(kind, world)
    kept: dict[tuple, Example] = {}
    total = sum(config.counts.values())
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(config.workers, spawn, _start_worker, (store, config.candidates)) as pool:
        for split in SPLITS:
            for n, kind in enumerate(config.kinds):
                quota = (config.counts.get(split, 0) + n) // len(config.kinds)
                if not quota:
                    continue
                end, barren = len(kept) + quota, 0
                for chunk in _chunks(pool, config, split, kind, min(CHUNK, quota)):
                    before = len(kept)
                    for example in chunk:
                        if example is not None and len(kept) < end:
                            kept.setdefault(_identity(example), example)
                    barren = 0 if len(kept) > before else barren + 1
                    if len(kept) == end or barren == BARREN:
                        break
                if len(kept) < end:
                    raise DataError(
                        f"only {quota - end + len(kept)} of {quota} {kind} queries of split {split} could be made and proven from this catalogue: "
                        f"ask for fewer, leave the kind out, or import more data"
                    )
                progress(len(kept), total)
        pool.shutdown(cancel_futures=True)
    return list(kept.values())


def _identity(example: Example) -> tuple:
    """Two Examples with the same are one: what is asked and what may be answered."""
    return example.kind, example.gold, example.conditions, example.anchors, example.premise, tuple(sorted(example.candidates))


def _chunks(pool: ProcessPoolExecutor, config: SynthConfig, split: Split, kind: Kind, size: int) -> Iterator[list[Example | None]]:
    """Endless chunks of `size` Examples in number order, made a few chunks ahead of the reader."""
    numbers, ahead = count(), deque()
    while True:
        while len(ahead) <= config.workers:
            ahead.append(pool.submit(_make, [Request(config.seed, split, kind, i) for i in islice(numbers, size)]))
        yield ahead.popleft().result()


def _start_worker(store: Path, candidates: int) -> None:
    global _graph
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _graph = build_graph(Nodes(World(Evidence.load(store)), TemplateWriter(), candidates))


def _make(requests: list[Request]) -> list[Example | None]:
    """Run the graph once a request; None where no draw was found or the revisions ran out."""
    states = [_graph.invoke({"request": request, "attempt": 0}) for request in requests]
    return [None if state.get("problems") else state["example"] for state in states]
