"""A cheap time limit for many coroutines that wait at once."""

import asyncio
from types import TracebackType
from typing import Any


class DeadlineWatcher:
    """A `with` block that raises TimeoutError in a coroutine that is in it for over `seconds`.

    One timer looks at all of them now and then, a quarter of `seconds` apart, at most one second. A
    timer for each request, as `asyncio.timeout` sets, would cost more than reading a body does.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self._interval = seconds, min(1.0, seconds / 4)
        self._entered: dict[asyncio.Task[Any], float] = {}  # task → time of the event loop
        self._expired: set[asyncio.Task[Any]] = set()
        self._scheduled_in: asyncio.AbstractEventLoop | None = None  # where the timer is set

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._entered[_current_task()] = loop.time()
        if self._scheduled_in is not loop:
            self._scheduled_in = loop
            loop.call_later(self._interval, self._cancel_expired, loop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        task = _current_task()
        del self._entered[task]
        if task in self._expired:
            self._expired.remove(task)
            # Where somebody else cancelled the task too, it stays cancelled.
            if task.uncancel() == 0 and kind is asyncio.CancelledError:
                raise TimeoutError

    def _cancel_expired(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, entered in self._entered.items():
            if now - entered > self.seconds and task not in self._expired:
                self._expired.add(task)
                task.cancel()
        self._scheduled_in = loop if self._entered else None
        if self._entered:
            loop.call_later(self._interval, self._cancel_expired, loop)


def _current_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None  # a `with` block in a coroutine
    return task
