"""ASGI middleware: tokens and limits of a server before an application that has none."""

import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_engine.errors import Refused
from data_engine.http.access import log_access, request_id_of
from data_engine.http.deadline import DeadlineWatcher
from data_engine.http.metrics import RequestMetrics
from data_engine.http.reception import RETRY_SOON, Headers, Reception
from data_engine.http.tokens import Scope as TokenScope
from data_engine.http.tokens import Tokens

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Guard:
    """Lets a request through to `app` when it may be answered; refuses it otherwise.

    A POST must be JSON, so that no page of another site can send one unasked, within the limits of
    `reception`, and be answered within its seconds. tokens: one of `scope` is needed but for the
    paths `open_paths`. hosts: names that this server may be called by, None for any: on loopback
    without tokens a page of another site could point a name of its own at this machine.
    problem: the body of a refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        reception: Reception,
        metrics: RequestMetrics,
        *,
        tokens: Tokens,
        scope: TokenScope,
        open_paths: Collection[str],
        hosts: Collection[str] | None,
        problem: Callable[[Refused], Mapping[str, Any]],
    ) -> None:
        self.app, self.tokens = app, tokens
        self._reception, self._metrics = reception, metrics
        self._scope, self._open_paths, self._hosts = scope, open_paths, hosts
        self._problem = problem
        self._deadline = DeadlineWatcher(reception.seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, code = time.perf_counter(), 500
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        request_id = request_id_of(headers)

        async def watch(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                given = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                message = {**message, "headers": given}
            await send(message)

        try:
            await self._pass_on(scope, headers, receive, watch)
        except Refused as refusal:
            await self._refuse(watch, refusal)
        seconds = time.perf_counter() - start
        if scope["path"] not in self._open_paths:
            self._metrics.record_request(code, seconds)
        log_access(scope, request_id, code, seconds)

    async def _pass_on(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Hand the request to the application. Raises Refused."""
        self._check(scope["path"], headers)
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        if headers.get(b"content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Refused(415, "send JSON, with the header content-type: application/json")
        body = await self._reception.receive(headers, receive)
        with self._reception.place():  # only now: a body that never comes takes no place
            try:
                with self._deadline:
                    await self.app(scope, _received(body, receive), send)
            except TimeoutError:
                seconds = self._reception.seconds
                raise Refused(503, f"not answered within {seconds:g} s", RETRY_SOON) from None

    def _check(self, path: str, headers: Headers) -> None:
        """Raise Refused (421, 401) for a name or a token that is not known."""
        if self._hosts is not None:
            name = urlsplit(f"//{headers.get(b'host', '')}").hostname or ""
            if name not in self._hosts:
                raise Refused(421, f"this server is not called {name[:100]!r}")
        if path not in self._open_paths:
            self.tokens.check(headers.get(b"authorization", ""), self._scope)

    async def _refuse(self, send: Send, refusal: Refused) -> None:
        body = json.dumps(self._problem(refusal)).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **refusal.headers,
        }
        lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": refusal.code, "headers": lines})
        await send({"type": "http.response.body", "body": body})


def _received(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the whole body, then what the client does."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_body() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_body
