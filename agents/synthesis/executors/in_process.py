"""The executor for one worker: no start-up, and the graphs are in memory already."""

import gc
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Self

from agents.synthesis.config import SynthConfig
from agents.synthesis.executors.protocol import REQUESTS_PER_TASK
from agents.synthesis.executors.worker import Worker
from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Request
from agents.synthesis.world import World


class InProcessExecutor:
    """Works in this very process, one task at a time."""

    requests_per_task, most_pending = REQUESTS_PER_TASK, 1

    def __init__(self, world: World, config: SynthConfig) -> None:
        self._worker = Worker.of(world, config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()

    def submit(self, requests: Sequence[Request]) -> Future[list[Outcome]]:
        """Work on the requests before this returns."""
        done: Future[list[Outcome]] = Future()
        done.set_result(self._worker.run(requests))
        return done

    def on_recorded(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing was kept."""
