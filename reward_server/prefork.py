"""Several worker processes over one loaded application: loaded once, then forked, so that the workers share its memory.

A worker that dies is replaced by another fork, warm at once. On SIGHUP the application is loaded again and new workers take over from the
old ones, which finish what they have; on SIGTERM or Ctrl-C all finish and the parent ends with them. A parent that is killed takes them along.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

import uvicorn

from data_engine.errors import RerecError
from reward_server.app import App

log = logging.getLogger("rerec.server")
SHORT_LIFE = 1.0  # a worker that lives less long has a fault that another fork would share: wait before trying again


class Prefork:
    """Keeps `workers` forks of `app` alive that serve on one listening socket; `make` loads its successor."""

    def __init__(self, app: App, make: Callable[[], App], listener: socket.socket, workers: int, options: dict[str, object]) -> None:
        self.app, self.make, self.listener, self.workers, self.options = app, make, listener, workers, options
        self.born, self.stopping = dict[int, float](), False
        self.alive, self.held = os.pipe()  # nothing is ever written: it ends when the parent, which alone holds it, has ended

    def run(self) -> None:
        """Until stopped."""
        for name, handler in ((signal.SIGTERM, self._stop), (signal.SIGINT, self._stop), (signal.SIGHUP, self._reload)):
            signal.signal(name, handler)
        for _ in range(self.workers):
            self._fork()
        while self.born:
            pid, _ = os.wait()
            lived = time.monotonic() - self.born.pop(pid, 0.0)
            if not self.stopping and len(self.born) < self.workers:
                log.warning("worker %d died: another takes its place", pid)
                if lived < SHORT_LIFE:
                    time.sleep(SHORT_LIFE)
                self._fork()

    def _fork(self) -> None:
        pid = os.fork()
        if pid:
            self.born[pid] = time.monotonic()
            return
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, signal.SIG_DFL)
        os.close(self.held)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        self.app.live.parent = os.getppid()
        try:
            uvicorn.Server(uvicorn.Config(self.app, **self.options)).run(sockets=[self.listener])
        finally:
            os._exit(0)

    def _end_with_parent(self) -> None:
        """A parent killed with kill -9 tells nobody: its workers would keep the port, and nothing would stop them."""
        os.read(self.alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self, *_: object) -> None:
        self.stopping = True
        for pid in self.born:
            os.kill(pid, signal.SIGTERM)

    def _reload(self, *_: object) -> None:
        try:
            self.app = self.make()
        except RerecError as error:
            log.error("reload failed, the old graph is still served: %s", error)
            return
        old = list(self.born)
        for _ in range(self.workers):
            self._fork()
        for pid in old:
            os.kill(pid, signal.SIGTERM)
