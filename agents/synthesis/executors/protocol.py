"""The protocol of executors."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol, Self

from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Request

REQUESTS_PER_TASK = 64


class Executor(Protocol):
    """Turns requests into outcomes; a context manager.

    requests_per_task: requests that one task takes. most_pending: tasks at once.
    """

    requests_per_task: int
    most_pending: int

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def submit(self, requests: Sequence[Request]) -> Future[list[Outcome]]:
        """Start a task for these requests."""
        ...

    def on_recorded(self, outcomes: Sequence[Outcome]) -> None:
        """Drop what was kept to make these outcomes again: they are in the ledger now."""
        ...
