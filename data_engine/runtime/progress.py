"""How long work says how far it is: a callback that every such function takes."""

from typing import Protocol


class ReportProgress(Protocol):
    """Called with how much is done, of how much (None: not known), and a short note."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None: ...


def no_progress(done: int, total: int | None = None, note: str = "") -> None:
    """Report to nobody."""
