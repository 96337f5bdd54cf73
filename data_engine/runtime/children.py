"""Child processes: they import our packages in any folder, and end with the parent."""

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import connection
from pathlib import Path
from threading import Thread, current_thread, main_thread

from data_engine.errors import Interrupted
from data_engine.runtime.quiet import quieten_worker

# For ray.init. Ray puts the current folder first on the path of its workers: by then our packages
# must be loaded already.
RAY_ENVIRONMENT = {"worker_process_setup_hook": "data_engine.runtime.children.load_packages"}
POLL_SECONDS = 0.2


def ray_address() -> str:
    """For ray.init: the cluster of RAY_ADDRESS, else one of this process's own.

    Without an address Ray would join any cluster that it finds on this machine.
    """
    return os.environ.get("RAY_ADDRESS", "local")


def rerec_command(*words: object) -> list[str]:
    """The command line of `rerec WORDS` in this environment.

    Without -P Python would look in the current folder first, and take a folder called `rerec`
    there, such as a checkout, for ours.
    """
    return [sys.executable, "-P", "-m", "rerec", *map(str, words)]


def run_rerec(words: Sequence[str], log: Path, on_poll: Callable[[], None] = lambda: None) -> int:
    """Run `rerec WORDS` to its end, append what it prints to `log`, and return the exit code.

    on_poll: called every POLL_SECONDS while the command runs.
    SIGTERM and Ctrl-C are passed on as SIGTERM and waited for, since a training run saves a
    checkpoint first. Raises Interrupted then, where this is the main thread.
    """
    with (
        begun(words, log) as child,
        signals_passed_on([child]) as received,
    ):
        while child.poll() is None:
            on_poll()
            time.sleep(POLL_SECONDS)
    if received:
        raise Interrupted(
            f"stopped: run the same command again to go on ({log} has the last words)"
        )
    return child.returncode


def begun(
    words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """`rerec WORDS` started, what it prints appended to `log`; `environment` beside this process's
    own.
    """
    with log.open("ab") as out:
        return subprocess.Popen(
            rerec_command(*words),
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(environment or {}),
        )


@contextmanager
def signals_passed_on(children: Iterable["subprocess.Popen[bytes]"]) -> Iterator[list[int]]:
    """Terminate the children on SIGTERM and SIGINT; yields the list of signals that came."""
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        for child in children:
            child.terminate()

    if current_thread() is not main_thread():  # only that one may set handlers
        yield received
        return
    before = {name: signal.signal(name, pass_on) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def load_packages() -> None:
    """Import our packages, so that their modules are found whatever the path becomes.

    The first thing that Ray's workers do.
    """
    quieten_worker()
    for name in ("agents", "data_engine", "reward_server", "train"):
        import_module(name)


def on_end_of(source: int | connection.Connection, act: Callable[[], object]) -> None:
    """Call `act` in a thread when `source` closes.

    source: a file descriptor or a connection that nobody writes to.
    The thread ends before the interpreter does: what it held then, libraries would report as
    leaked.
    """
    done, ended = multiprocessing.Pipe(duplex=False)

    def watch() -> None:
        if done not in connection.wait([source, done]):
            act()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    atexit.register(thread.join)
    atexit.register(ended.close)  # runs before the join: the last registered is called first
