"""uvicorn's server with two notifications: that it serves, and that it takes no more requests."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn

from data_engine.http.served import ServedApp


def do_nothing() -> None:
    """A notification that nobody waits for."""


class NotifyingServer(uvicorn.Server):
    """Calls `on_serving` when it serves, `on_closed` when no new request gets in.

    It finishes the requests that it has then. options: those of `uvicorn.Config`.
    """

    def __init__(
        self,
        app: ServedApp,
        options: Mapping[str, Any],
        on_serving: Callable[[], None],
        on_closed: Callable[[], None] = do_nothing,
    ) -> None:
        super().__init__(uvicorn.Config(app, **options))
        self._on_serving, self._on_closed = on_serving, on_closed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's interface."""
        await super().startup(sockets)
        self._on_serving()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's interface. It closes sockets and idle connections at once, then waits."""
        asyncio.get_running_loop().call_soon(self._on_closed)
        await super().shutdown(sockets)
