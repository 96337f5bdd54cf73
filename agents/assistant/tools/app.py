"""The tools over streamable HTTP: the guards of our servers before the SDK's handler."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from agents.assistant.server.config import AssistantConfig
from data_engine.errors import Refused
from data_engine.http.guard import Guard
from data_engine.http.mcp_server import MOST_BYTES, session_manager
from data_engine.http.metrics import RequestMetrics
from data_engine.http.reception import Reception
from data_engine.http.served import Facts, ReloadAll, freeze_loaded_objects
from data_engine.http.tokens import Tokens


class App:
    """ASGI: one path, /mcp. Raises DataError where there is no token file."""

    def __init__(self, server: Any, config: AssistantConfig) -> None:
        self._manager = session_manager(server, guarded=config.names is None)
        self._guard = Guard(
            self._routes(),
            Reception(most_bytes=MOST_BYTES, at_once=config.at_once, seconds=config.seconds),
            RequestMetrics("mcp"),
            tokens=Tokens.load(config.tokens) if config.tokens else Tokens(),
            scope="ask",
            open_paths=(),
            hosts=config.names,
            problem=_problem,
        )
        freeze_loaded_objects()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        await self._guard(scope, receive, send)

    def start(self, reload_all: ReloadAll | None = None) -> None:
        """As `ServedApp`: there is nothing to open."""

    def facts(self) -> Facts:
        """As `ServedApp`."""
        return {}

    def _routes(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with self._manager.run():
                yield

        route = Route("/mcp", _Handler(self._manager), methods=["POST"])
        return Starlette(routes=[route], lifespan=lifespan)


class _Handler:
    """The SDK's handler as an ASGI application, which a route takes as it is."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._manager.handle_request(scope, receive, send)


def _problem(refusal: Refused) -> dict[str, Any]:
    return {"detail": str(refusal)}
