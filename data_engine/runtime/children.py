"""Processes that rerec starts: what they import does not depend on the current folder, and they end
with who started them.
"""

import atexit
import multiprocessing
import sys
from collections.abc import Callable
from importlib import import_module
from multiprocessing import connection
from threading import Thread

from data_engine.runtime.quiet import quieten_worker

# For ray.init: Ray puts the current folder first on its workers' path; when that happens our
# packages are loaded already.
RAY_ENVIRONMENT = {"worker_process_setup_hook": "data_engine.runtime.children.load_packages"}


def rerec_command(*words: object) -> list[str]:
    """The command line of `rerec WORDS` in this environment. Without -P, Python would look in the
    current folder first: a folder called `rerec` there, such as a checkout, would be taken for
    ours.
    """
    return [sys.executable, "-P", "-m", "rerec", *map(str, words)]


def load_packages() -> None:
    """Import our packages, so that modules of theirs are found beside them whatever the path
    becomes. Ray's workers begin with this.
    """
    quieten_worker()
    for name in ("agents", "data_engine", "reward_server", "train"):
        import_module(name)


def on_end_of(source: int | connection.Connection, act: Callable[[], object]) -> None:
    """Call `act` in a thread when `source`, a file descriptor or a connection that nobody writes
    to, closes. The thread ends before the interpreter does: what it held then, libraries would
    report as leaked.
    """
    done, ended = multiprocessing.Pipe(duplex=False)

    def watch() -> None:
        if done not in connection.wait([source, done]):
            act()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    atexit.register(thread.join)
    atexit.register(ended.close)  # runs before the join: the last registered is called first
