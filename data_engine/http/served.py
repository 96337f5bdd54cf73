"""The application that a server runs: loaded once, forked where it has several workers."""

import atexit
import gc
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

Facts = dict[str, Any]  # what is served: digests and counts
ReloadAll = Callable[[], Facts | None]
atexit.register(gc.unfreeze)  # libraries look for leaks when the process ends


class ServedApp(Protocol):
    """An ASGI application that holds what it answers with."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""

    def start(self, reload_all: ReloadAll | None = None) -> None:
        """Open what a process must open itself; called once in the process that serves.

        reload_all: in one of several workers, loads all of them again. Raises RerecError.
        """

    def facts(self) -> Facts:
        """What is served."""


def freeze_loaded_objects() -> None:
    """Free what is unused, and keep the garbage collector away from the rest.

    Walking a loaded graph would hold up every request.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    # A batch makes many short-lived lists: look at them less often.
    gc.set_threshold(20_000, 20, 20)
