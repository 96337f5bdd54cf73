"""/mcp: the guards of the server before an MCP server, which reads few bytes of a body."""

import asyncio
import json
import time
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs

from starlette.types import Message, Receive, Scope, Send

from data_engine.http.reception import RETRY_SOON
from reward_server.errors import Refused
from reward_server.server.config import ServeConfig
from reward_server.server.mcp_tools import make_session_manager
from reward_server.server.metrics import Metrics
from reward_server.server.state import ServerState


class McpEndpoint:
    """ASGI at /mcp; `run` is the context in which it works. Raises DataError without the SDK."""

    def __init__(self, state: ServerState, metrics: Metrics, config: ServeConfig) -> None:
        self.state, self.metrics = state, metrics
        self.at_once, self.seconds = config.at_once, config.seconds
        self.running = 0  # requests being answered
        self._manager = make_session_manager(state, guarded=config.tokens is not None)

    def run(self) -> AbstractAsyncContextManager[None]:
        """The context of all requests; to be entered once, in the event loop that serves."""
        context: AbstractAsyncContextManager[None] = self._manager.run()
        return context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        start, code = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            self._check(scope)
            self.running += 1
            try:
                async with asyncio.timeout(self.seconds):
                    await self._manager.handle_request(scope, receive, watch)
            finally:
                self.running -= 1
        except Refused as refusal:
            await _refuse(watch, refusal)
        except TimeoutError:
            await _refuse(watch, Refused(408, f"not answered within {self.seconds:g} s"))
        self.metrics.record_request(code, time.perf_counter() - start)

    def _check(self, scope: Scope) -> None:
        """Raise Refused for what the SDK need not see."""
        headers = dict(scope["headers"])
        self.state.tokens.check(headers.get(b"authorization", b"").decode("latin-1"), "score")
        if scope["method"] != "POST":
            raise Refused(405, "send a POST: there is no session to listen to", {"allow": "POST"})
        if self.running >= self.at_once:
            raise Refused(429, f"{self.running} requests are being served", RETRY_SOON)
        given = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        held = self.state.snapshot.digest
        for digest in given.get("graph_digest", ()):
            if digest != held:
                raise Refused(409, f"the URL is for graph {digest[:64]}, this server holds {held}")


async def _refuse(send: Send, refusal: Refused) -> None:
    body = json.dumps({"detail": str(refusal)}).encode()
    headers = {"content-type": "application/json", **refusal.headers}
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.code, "headers": lines})
    await send({"type": "http.response.body", "body": body})
