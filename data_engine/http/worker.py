"""A worker process of a server: a fork of the parent that serves on the parent's socket.

Over a pipe it tells its parent READY, CLOSED (no new request gets in), RELOAD (asked for; answered
with what is served then, None where it failed), or, in words, why it cannot start. The end of the
pipe is the end of the worker.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from data_engine.errors import RerecError
from data_engine.http.served import Facts, ReloadAll, ServedApp
from data_engine.http.uvicorn_server import NotifyingServer

log = logging.getLogger("rerec.server")
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
READY, RELOAD, CLOSED = "ready", "reload", "closed"
Link = Connection  # one end of the pipe between the parent and a worker


@dataclass(eq=False)
class Worker:
    """A worker as its parent sees it: a fork of `app`, made at `started` (monotonic seconds)."""

    pid: int
    app: ServedApp
    started: float
    ready: bool = False
    closed: bool = False


@dataclass(frozen=True)
class WorkerPlan:
    """What a fork needs: where and how to serve, and a pipe whose second end only the parent keeps.

    Nothing is ever written to it: its reading end closes when the parent has ended.
    """

    listener: socket.socket
    options: Mapping[str, Any]
    parent_alive: int
    parent_end: int


def run_worker(
    app: ServedApp, link: Link, plan: WorkerPlan, inherited: Iterable[socket.socket | Link]
) -> NoReturn:
    """The life of a worker, in the forked process. `inherited`: the parent's own, closed here."""
    try:
        signal.set_wakeup_fd(-1)
        for name in SIGNALS:
            signal.signal(name, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.close(plan.parent_end)
        for connection in inherited:
            connection.close()
        threading.Thread(target=_end_with_parent, args=[plan.parent_alive], daemon=True).start()
        app.start(_reload_through(link))
        server = NotifyingServer(app, plan.options, _send(link, READY), _send(link, CLOSED))
        server.run(sockets=[plan.listener])
    except RerecError as error:
        link.send(str(error))
    except Exception:  # the fork ends below without unwinding: nobody else would report it
        log.exception("a worker failed")
    finally:
        os._exit(0)


def _send(link: Link, message: str) -> Callable[[], None]:
    def send() -> None:
        link.send(message)

    return send


def _reload_through(link: Link) -> ReloadAll:
    """A function that asks the parent for a reload and waits for what is served then."""

    def reload() -> Facts | None:
        try:
            link.send(RELOAD)
            facts: Facts | None = link.recv()
        except (EOFError, OSError):
            return None
        return facts

    return reload


def _end_with_parent(parent_alive: int) -> None:
    """End this process when the pipe does.

    A parent killed with SIGKILL tells nobody: its workers would keep the port for ever.
    """
    os.read(parent_alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
