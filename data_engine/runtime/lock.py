"""One process at a time in a run directory: two that write the same checkpoints leave none that is whole."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_engine.errors import RunInUse


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """Hold the directory, which is made; let go however this process ends. Raises RunInUse while another process holds it."""
    run.mkdir(parents=True, exist_ok=True)
    handle = os.open(run, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunInUse(
                f"another process is still at work in {run}: wait until it has stopped, or stop it, then run the same command again"
            ) from error
        yield
    finally:
        os.close(handle)
