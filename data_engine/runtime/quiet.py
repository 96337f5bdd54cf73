"""Other libraries' words are kept from the terminal, in this one place: progress bars and advice
are switched off, and what verl, Ray's workers and the libraries in them print goes to a log of the
run.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO

LOG = "REREC_LIBRARY_LOG"  # environment variable: a file that Ray's workers append to
DEFAULTS = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def quieten() -> None:
    """For this process and those it starts. What the user has set stays."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


@contextmanager
def words_to(log: Path | None) -> Iterator[None]:
    """Within the block what Python prints in this process, and in all that Ray's workers do, goes
    to the end of `log`; None: nowhere. The file stays open: loggers hold on to it.
    """
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        os.environ[LOG] = str(log.resolve())
    words = _open(log or Path(os.devnull))
    with redirect_stdout(words), redirect_stderr(words):
        yield


def quieten_worker() -> None:
    """What a worker of Ray's prints goes to the log, where one is named."""
    if LOG in os.environ:
        sys.stdout = sys.stderr = _open(Path(os.environ[LOG]))


def _open(path: Path) -> TextIO:
    try:
        return path.open("a", buffering=1, encoding="utf-8", errors="replace")
    except OSError:  # another machine, without that folder
        return open(os.devnull, "w")
