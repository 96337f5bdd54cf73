"""Several worker processes over one loaded application: loaded once, then forked, so that the workers share its memory.

A worker that dies is replaced by another fork, warm at once. On SIGHUP, or when a worker is asked to, the application is loaded again: when all
workers of the new one are ready they take over, and the old ones finish what they have; when it cannot be loaded, the old ones stay. On SIGTERM or
Ctrl-C all finish and the parent ends with them, whatever it is doing. A parent that is killed takes them along.

Worker and parent tell each other over a pipe. The parent hears READY, RELOAD (asked for, and answered with what is served then, None where it
failed), CLOSED (no new request gets in), or why the worker cannot start; the end of the pipe is the end of the worker.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait

import uvicorn

from data_engine.errors import DataError, RerecError
from reward_server.server.app import App

log = logging.getLogger("rerec.server")
SHORT_LIFE = 1.0  # a worker that lives less long has a fault that another fork would share: wait before trying again
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
READY, RELOAD, CLOSED = "ready", "reload", "closed"


class Stopped(BaseException):
    """A signal to stop came while the application was being loaded."""


class Server(uvicorn.Server):
    """uvicorn's, which says when it serves, and when it has stopped taking requests: what it has then, it finishes."""

    def __init__(
        self,
        app: App,
        options: dict[str, object],
        started: Callable[[], None],
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(uvicorn.Config(app, **options))
        self._started, self._closed = started, closed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's interface."""
        await super().startup(sockets)
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's interface. It closes sockets and idle connections at once, and only then waits."""
        asyncio.get_running_loop().call_soon(self._closed)
        await super().shutdown(sockets)


@dataclass(eq=False)
class Worker:
    """A fork of `app`, alive since `born`, and how far it is."""

    pid: int
    app: App
    born: float
    ready: bool = False
    closed: bool = False


class Prefork:
    """Keeps `count` forks of what `make` loads alive; they serve on one listening socket. `started` is told the first application when all of its
    workers are ready."""

    def __init__(
        self,
        make: Callable[[], App],
        listener: socket.socket,
        count: int,
        options: dict[str, object],
        started: Callable[[App], None],
    ) -> None:
        self.make, self.listener, self.count, self.options, self.started = (
            make,
            listener,
            count,
            options,
            started,
        )
        self.app: App | None = None  # which is served
        self.coming: App | None = None  # which will be when its workers are ready
        self.workers: dict[Connection, Worker] = {}
        self.asking: list[
            Connection
        ] = []  # workers that wait for the load now going on, and those that came too late for it
        self.waiting: list[Connection] = []
        self.wanted = self.loading = self.stopping = False
        self.problem = ""  # why there is nothing to serve
        self.alive, self.held = (
            os.pipe()
        )  # nothing is ever written: it ends when the parent, which alone holds it, has ended
        self.woken, self.waker = socket.socketpair()  # gets the number of each signal

    def run(self) -> None:
        """Until stopped. Raises DataError when there is nothing to serve."""
        self.waker.setblocking(False)
        signal.set_wakeup_fd(self.waker.fileno())
        for name in SIGNALS:
            signal.signal(name, self._interrupt)
        self._load()
        while self.workers:
            for link in wait([self.woken, *self.workers]):
                if link is self.woken:
                    self._signalled(set(self.woken.recv(4096)))
                elif link in self.workers:
                    self._heard(link)
        if self.problem:
            raise DataError(self.problem)

    def _interrupt(self, number: int, _: object) -> None:
        """All signals are read in `run`, one after the other; a load, which may take minutes, is left for one that stops."""
        if self.loading and number != signal.SIGHUP:
            raise Stopped

    def _signalled(self, numbers: set[int]) -> None:
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self.stopping = True
            self._answer([*self.asking, *self.waiting], None)
            self._end(self.workers.values())
        elif signal.SIGHUP in numbers:
            self._reload()

    def _heard(self, link: Connection) -> None:
        worker = self.workers[link]
        try:
            said = link.recv()
        except (EOFError, OSError):
            self._ended(link)
            return
        if said == READY:
            worker.ready = True
            self._take_over()
        elif said == CLOSED:
            worker.closed = True
            self._tell()
        elif said == RELOAD:
            self._reload(link)
        elif worker.app is self.coming:
            self._failed(said)
        else:
            log.error("a worker could not start: %s", said)

    def _reload(self, *askers: Connection) -> None:
        if self.stopping:
            self._answer(askers, None)
            return
        self.waiting += askers
        self.wanted = True  # what is being loaded now may be older than what is asked for
        if self.coming is None and not self.asking:
            self._load()

    def _load(self) -> None:
        self.asking, self.waiting, self.wanted = self.waiting, [], False
        try:
            self.loading = True
            try:
                app = self.make()
            finally:
                self.loading = False
        except Stopped:
            return  # the signal is read next
        except Exception as error:
            if self.app is None:
                raise
            if not isinstance(error, RerecError):
                log.exception("the application could not be loaded")
            self._failed(str(error))
            return
        self.coming = app
        for _ in range(self.count):
            self._fork(app)

    def _take_over(self) -> None:
        """The coming application's workers serve alone as soon as all of them are ready."""
        if self.coming is None or sum(w.ready for w in self._of(self.coming)) < self.count:
            return
        first, self.app, self.coming = self.app is None, self.coming, None
        if first:
            self.started(self.app)
        else:
            log.info("reloaded: %s", self.app.live.snapshot.facts())
            self._end(w for w in self.workers.values() if w.app is not self.app)
        self._tell()

    def _tell(self) -> None:
        """Answer who asked for a reload when no other application takes requests; go on with the next."""
        if (
            self.stopping
            or self.coming is not None
            or any(not w.closed for w in self.workers.values() if w.app is not self.app)
        ):
            return
        self._answer(self.asking, self.app.live.snapshot.facts())
        self.asking = []
        if self.wanted:
            self._load()

    def _failed(self, why: str) -> None:
        lost, self.coming = self._of(self.coming), None
        self._end(lost)
        if self.app is None:
            self.problem, self.stopping = why, True
            return
        log.error("reload failed, the old graph is still served: %s", why)
        self._answer(self.asking, None)
        self.asking = []
        if self.wanted:
            self._load()

    def _ended(self, link: Connection) -> None:
        worker = self.workers.pop(link)
        link.close()
        os.waitpid(worker.pid, 0)
        if self.stopping:
            return
        if worker.app is self.coming:
            self._failed("a worker died before it was ready")
        elif worker.app is self.app:
            log.warning("worker %d died: another takes its place", worker.pid)
            if time.monotonic() - worker.born < SHORT_LIFE:
                time.sleep(SHORT_LIFE)
            self._fork(self.app)
        else:
            self._tell()

    def _of(self, app: App | None) -> list[Worker]:
        return [worker for worker in self.workers.values() if worker.app is app]

    def _end(self, workers: Iterable[Worker]) -> None:
        for worker in workers:
            os.kill(
                worker.pid, signal.SIGTERM
            )  # it has not been waited for, so that the number is still its own

    def _answer(self, askers: Iterable[Connection], facts: dict[str, object] | None) -> None:
        for link in askers:
            with suppress(OSError):  # it may have died meanwhile
                link.send(facts)

    def _fork(self, app: App) -> None:
        ours, its = Pipe()
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, SIGNALS
        )  # one for the child must not meet the parent's handlers
        pid = os.fork()
        if not pid:
            self._work(app, its, [ours, *self.workers])
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        its.close()
        self.workers[ours] = Worker(pid, app, time.monotonic())

    def _work(self, app: App, link: Connection, others: Iterable[Connection]) -> None:
        """The life of a worker."""
        try:
            signal.set_wakeup_fd(-1)
            for name in SIGNALS:
                signal.signal(name, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            os.close(self.held)
            for one in (self.woken, self.waker, *others):
                one.close()
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            app.live.elsewhere = lambda: _asked(link)
            app.live.snapshot.start_head()
            Server(app, self.options, lambda: link.send(READY), lambda: link.send(CLOSED)).run(
                sockets=[self.listener]
            )
        except RerecError as error:
            link.send(str(error))
        except Exception:
            log.exception("a worker failed")
        finally:
            os._exit(0)

    def _end_with_parent(self) -> None:
        """A parent killed with kill -9 tells nobody: its workers would keep the port, and nothing would stop them."""
        os.read(self.alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)


def _asked(link: Connection) -> dict[str, object] | None:
    """In a worker: ask the parent for a reload, and wait for what is served then."""
    try:
        link.send(RELOAD)
        return link.recv()
    except (EOFError, OSError):
        return None
