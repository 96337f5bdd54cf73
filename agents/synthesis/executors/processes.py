"""The executor of worker processes of this machine."""

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Self

from agents.synthesis.config import SynthConfig
from agents.synthesis.executors.protocol import REQUESTS_PER_TASK
from agents.synthesis.executors.worker import Worker
from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Request
from data_engine.runtime.children import on_end_of

_worker: Worker  # of this process, when it is one of the pool's


class ProcessExecutor:
    """A pool of worker processes, each with a world of its own."""

    requests_per_task = REQUESTS_PER_TASK

    def __init__(self, store: Path, config: SynthConfig) -> None:
        self.most_pending = config.workers + 2
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(
            config.workers,
            spawn,
            _start_worker,
            (store, config),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, requests: Sequence[Request]) -> Future[list[Outcome]]:
        """Give the requests to the next free process."""
        return self._pool.submit(_run, requests)

    def on_recorded(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing was kept."""


def _start_worker(store: Path, config: SynthConfig) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    # a parent killed with kill -9 shuts no pool down, and its workers would wait for ever
    if parent := multiprocessing.parent_process():
        on_end_of(parent.sentinel, _exit)
    _worker = Worker.load(store, config)


def _exit() -> None:
    os._exit(1)


def _run(requests: Sequence[Request]) -> list[Outcome]:
    return _worker.run(requests)
