"""Synthesis at the scale of a data set: quotas per split and kind, and no duplicates.

The rows and their order are the same for any number of workers. Outcomes are in the ledger as
soon as they are there, so that a run that was cut short goes on.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path

from agents.synthesis.config import SynthConfig
from agents.synthesis.executors import Executor, make_executor
from agents.synthesis.kinds import check_kind
from agents.synthesis.lanes import Lane, make_lanes
from agents.synthesis.ledger import Ledger, ledger_path, synthesis_folder
from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Request
from agents.synthesis.world import World
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.run_directory import RunDirectory
from data_engine.schema import Example, Kind, Split

Progress = Callable[[int, int], None]


@dataclass
class Synthesised:
    """The Examples of a finished run, in order, read from its ledger each time.

    lanes: (split, kind) → number of Examples.
    """

    path: Path
    lanes: dict[tuple[Split, Kind], int]

    def __iter__(self) -> Iterator[Example]:
        """By split, then kind, then number."""
        with Ledger(self.path) as ledger:
            yield from ledger.examples()

    def __len__(self) -> int:
        return sum(self.lanes.values())


def ignore_progress(done: int, total: int) -> None:
    """Show no progress."""


def synthesise(
    store: Path, config: SynthConfig, progress: Progress = ignore_progress
) -> Synthesised:
    """Make all Examples. A run that was cut short goes on from its ledger.

    progress: called with (Examples kept, Examples wanted).
    Raises RunInUse while another synthesis of this store is at work, UnsupportedKind for a kind
    that the data cannot carry, DataError when a quota cannot be filled (it says how far it got),
    and of a chat writer EndpointDown, BudgetSpent or NotRecorded.
    """
    with RunDirectory(synthesis_folder(store)).held():
        return _synthesise(store, config, progress)


def _synthesise(store: Path, config: SynthConfig, progress: Progress) -> Synthesised:
    world = World(Evidence.load(store))
    for kind in config.kinds:
        check_kind(kind, world)
    lanes, path = make_lanes(config), ledger_path(store)
    digest = config.digest(world.evidence.digest)
    with Ledger(path, digest, config.model_dump(mode="json")) as ledger:
        for lane in lanes:
            _restore(lane, ledger)
        if not all(lane.done for lane in lanes):
            with make_executor(store, config, world, ledger) as executor:
                _fill(lanes, executor, ledger, _Reporter(lanes, progress))
        _check_quotas(lanes)
        ledger.keep(_kept_places(lanes))
    return Synthesised(path, {(lane.split, lane.kind): lane.quota for lane in lanes})


def _restore(lane: Lane, ledger: Ledger) -> None:
    """Take the outcomes that an earlier process left in the ledger."""
    for number, identity, shingles in ledger.known(lane.name):
        lane.outcomes[number] = (identity, shingles)
    lane.judge_outcomes(ledger)
    lane.next_request = lane.next_outcome


def _kept_places(lanes: list[Lane]) -> Iterator[tuple[str, int]]:
    """(lane, number) of the kept Examples, in their order."""
    for lane in lanes:
        for number in lane.kept:
            yield lane.name, number


def _check_quotas(lanes: list[Lane]) -> None:
    """Raise DataError for the first lane that could not be filled."""
    for lane in lanes:
        if len(lane.kept) < lane.quota:
            raise DataError(
                f"only {len(lane.kept)} of {lane.quota} {lane.kind} queries of split {lane.split} "
                "could be made and proven from this catalogue: "
                "ask for fewer, leave the kind out, or import more data"
            )


class _Reporter:
    """Reports progress when a hundredth more is done."""

    def __init__(self, lanes: list[Lane], progress: Progress) -> None:
        self.lanes, self.progress = lanes, progress
        self.total = sum(lane.quota for lane in lanes)
        self.reported = -1

    def report(self) -> None:
        kept = sum(len(lane.kept) for lane in self.lanes)
        if kept * 100 // self.total > self.reported * 100 // self.total or self.reported < 0:
            self.reported = kept
            self.progress(kept, self.total)


def _fill(lanes: list[Lane], executor: Executor, ledger: Ledger, reporter: _Reporter) -> None:
    """Hand out requests, as many at a time as the executor takes, until every lane is done."""
    pending: dict[Future[list[Outcome]], Lane] = {}
    while True:
        for lane in lanes:
            while (
                not lane.done
                and len(pending) < executor.most_pending
                and (requests := lane.hand_out(executor.requests_per_task))
            ):
                pending[executor.submit(requests)] = lane
        if not pending or all(lane.done for lane in lanes):
            return
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            lane, outcomes = pending.pop(future), future.result()
            ledger.put(lane.name, outcomes)
            for outcome in outcomes:
                number = Request.parse(outcome.request).index
                lane.outcomes[number] = (outcome.identity, outcome.shingles)
            lane.judge_outcomes(ledger)
            executor.on_recorded(outcomes)
        reporter.report()
