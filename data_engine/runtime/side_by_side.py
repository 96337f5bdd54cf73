"""rerec commands that run at the same time, and end together when one must."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from data_engine.runtime.children import begun, signals_passed_on


class SideBySide:
    """Commands by name; use with `with`, in the main thread.

    SIGTERM and Ctrl-C are passed on to all, since a training run saves a checkpoint first; what
    runs when the block is left is terminated, and waited for. stopped: whether a signal came.
    """

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._signals = signals_passed_on(self._children.values())
        self._received = self._signals.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            child.wait()
        self._signals.__exit__(kind, error, trace)

    @property
    def stopped(self) -> bool:
        """Whether SIGTERM or SIGINT came: nothing more is to be started."""
        return bool(self._received)

    @property
    def running(self) -> list[str]:
        """The names of what runs."""
        return list(self._children)

    def start(
        self, name: str, words: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        """Start `rerec WORDS`; see `begun`."""
        self._children[name] = begun(words, log, environment)
        if self._received:  # the signal came before the child was known
            self._children[name].terminate()

    def ended(self) -> Iterator[tuple[str, int]]:
        """The names and exit codes of what has ended since the last call."""
        for name, child in list(self._children.items()):
            if (code := child.poll()) is not None:
                del self._children[name]
                yield name, code
