"""A rerec command in a process of its own, its output in a log."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import current_thread, main_thread

from data_engine.errors import Interrupted
from data_engine.runtime.children import rerec_command

WATCH_SECONDS = 0.2


def run_rerec(words: Sequence[str], log: Path, tell: Callable[[], None] = lambda: None) -> int:
    """Run it to its end and return the exit code; `tell` is called while it goes on. SIGTERM and Ctrl-C end the child first, in its own way: a
    training run saves a checkpoint. Raises Interrupted then, where this is the main thread."""
    stopped = []
    with (
        log.open("ab") as out,
        subprocess.Popen(rerec_command(*words), stdout=out, stderr=subprocess.STDOUT) as child,
    ):

        def stop(*_: object) -> None:
            stopped.append(True)
            child.terminate()

        before = {
            name: signal.signal(name, stop)
            for name in (signal.SIGTERM, signal.SIGINT)
            if current_thread() is main_thread()
        }
        try:
            while child.poll() is None:
                tell()
                time.sleep(WATCH_SECONDS)
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
    if stopped:
        raise Interrupted(
            f"stopped: run the same command again to go on ({log} has the last words)"
        )
    return child.returncode
