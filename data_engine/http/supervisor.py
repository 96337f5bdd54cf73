"""Several worker processes over one application: loaded once, then forked, so as to share memory.

A worker that dies is replaced by another fork, warm at once. On SIGHUP, or when a worker asks for
it, the application is loaded again: when all workers of the new one are ready they take over, and
the old ones finish what they have; when it cannot be loaded, the old ones stay. On SIGTERM or
Ctrl-C all workers finish and the parent ends with them, whatever it is doing. A parent that is
killed takes them along.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from data_engine.errors import DataError, RerecError
from data_engine.http.served import Facts, ServedApp
from data_engine.http.worker import (
    CLOSED,
    READY,
    RELOAD,
    SIGNALS,
    Link,
    Worker,
    WorkerPlan,
    run_worker,
)

log = logging.getLogger("rerec.server")
# Seconds. A worker that lived less long has a fault that another fork would share: wait first.
SHORT_LIFE = 1.0


class Stopped(BaseException):
    """A signal to stop came while the application was being loaded."""


class Supervisor:
    """Keeps `count` forks of the application that `load` returns alive, on one listening socket.

    on_serving: called with the first application when all of its workers are ready.
    """

    def __init__(
        self,
        load: Callable[[], ServedApp],
        listener: socket.socket,
        count: int,
        options: Mapping[str, Any],
        on_serving: Callable[[ServedApp], None],
    ) -> None:
        self._load_app, self._count, self._on_serving = load, count, on_serving
        self._served: ServedApp | None = None
        self._next: ServedApp | None = None  # will be served when its workers are ready
        self._workers: dict[Link, Worker] = {}
        self._askers: list[Link] = []  # workers that wait for the load now going on
        self._late_askers: list[Link] = []  # that came too late for it
        self._reload_again = self._loading = self._stopping = False
        self._failure = ""  # why there is nothing to serve
        self._plan = WorkerPlan(listener, options, *os.pipe())
        # Gets the number of each signal.
        self._signal_reader, self._signal_writer = socket.socketpair()

    def run(self) -> None:
        """Serve until stopped. Raises DataError when there is nothing to serve."""
        self._signal_writer.setblocking(False)
        signal.set_wakeup_fd(self._signal_writer.fileno())
        for name in SIGNALS:
            signal.signal(name, self._interrupt_load)
        self._load()
        while self._workers:
            for source in wait([self._signal_reader, *self._workers]):
                if source is self._signal_reader:
                    self._handle_signals(set(self._signal_reader.recv(4096)))
                elif isinstance(source, Link) and source in self._workers:
                    self._handle_message(source)
        if self._failure:
            raise DataError(self._failure)

    def _interrupt_load(self, number: int, frame: FrameType | None) -> None:
        """Signals are handled in `run`, one by one, but one to stop interrupts a load at once."""
        if self._loading and number != signal.SIGHUP:
            raise Stopped

    def _handle_signals(self, numbers: set[int]) -> None:
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self._stopping = True
            _answer([*self._askers, *self._late_askers], None)
            _terminate(self._workers.values())
        elif signal.SIGHUP in numbers:
            self._reload()

    def _handle_message(self, link: Link) -> None:
        worker = self._workers[link]
        try:
            message: str = link.recv()
        except (EOFError, OSError):
            self._handle_end(link)
            return
        if message == READY:
            worker.ready = True
            self._take_over()
        elif message == CLOSED:
            worker.closed = True
            self._finish_reload()
        elif message == RELOAD:
            self._reload(link)
        elif worker.app is self._next:
            self._handle_failure(message)
        else:
            log.error("a worker could not start: %s", message)

    def _handle_end(self, link: Link) -> None:
        """Replace a worker that has ended, unless it was to end."""
        worker = self._workers.pop(link)
        link.close()
        os.waitpid(worker.pid, 0)
        if self._stopping:
            return
        if worker.app is self._next:
            self._handle_failure("a worker died before it was ready")
        elif worker.app is self._served:
            log.warning("worker %d died: another takes its place", worker.pid)
            if time.monotonic() - worker.started < SHORT_LIFE:
                time.sleep(SHORT_LIFE)
            self._fork(worker.app)
        else:
            self._finish_reload()

    def _reload(self, *askers: Link) -> None:
        if self._stopping:
            _answer(askers, None)
            return
        self._late_askers += askers
        self._reload_again = True  # what is being loaded now may be older than what is asked for
        if self._next is None and not self._askers:
            self._load()

    def _load(self) -> None:
        """Load the application and fork its workers."""
        self._askers, self._late_askers, self._reload_again = self._late_askers, [], False
        try:
            self._loading = True
            try:
                app = self._load_app()
            finally:
                self._loading = False
        except Stopped:
            return  # the signal is handled next
        except Exception as error:  # a failed reload, whatever it was, must not end what is served
            if self._served is None:
                raise
            if not isinstance(error, RerecError):
                log.exception("the application could not be loaded")
            self._handle_failure(str(error))
            return
        self._next = app
        for _ in range(self._count):
            self._fork(app)

    def _take_over(self) -> None:
        """The next application's workers serve alone as soon as all of them are ready."""
        if self._next is None:
            return
        if sum(worker.ready for worker in self._workers_of(self._next)) < self._count:
            return
        first, self._served, self._next = self._served is None, self._next, None
        if first:
            self._on_serving(self._served)
        else:
            log.info("reloaded: %s", self._served.facts())
            _terminate(w for w in self._workers.values() if w.app is not self._served)
        self._finish_reload()

    def _finish_reload(self) -> None:
        """Answer who asked for a reload when no other application takes requests."""
        if self._stopping or self._next is not None or self._served is None:
            return
        if any(not w.closed for w in self._workers.values() if w.app is not self._served):
            return
        self._end_reload(self._served.facts())

    def _handle_failure(self, reason: str) -> None:
        """The next application cannot be served: the old one stays."""
        lost = self._workers_of(self._next) if self._next is not None else []
        self._next = None
        _terminate(lost)
        if self._served is None:
            self._failure, self._stopping = reason, True
            return
        log.error("reload failed, the old graph is still served: %s", reason)
        self._end_reload(None)

    def _end_reload(self, facts: Facts | None) -> None:
        """Answer who waits for this load, and begin the next where one was asked for meanwhile."""
        _answer(self._askers, facts)
        self._askers = []
        if self._reload_again:
            self._load()

    def _workers_of(self, app: ServedApp) -> list[Worker]:
        return [worker for worker in self._workers.values() if worker.app is app]

    def _fork(self, app: ServedApp) -> None:
        link, worker_link = Pipe()
        # A signal for the child must not meet the parent's handlers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if not pid:
            inherited: list[socket.socket | Link] = [
                self._signal_reader,
                self._signal_writer,
                link,
                *self._workers,
            ]
            run_worker(app, worker_link, self._plan, inherited)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        worker_link.close()
        self._workers[link] = Worker(pid, app, time.monotonic())


def _terminate(workers: Iterable[Worker]) -> None:
    for worker in workers:
        os.kill(worker.pid, signal.SIGTERM)  # not waited for yet, so that the pid is still its own


def _answer(askers: Iterable[Link], facts: Facts | None) -> None:
    for link in askers:
        with suppress(OSError):  # it may have died meanwhile
            link.send(facts)
