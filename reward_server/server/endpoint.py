"""The base of the endpoints that score: bare ASGI applications, limits first, then pure functions.

A framework's routing and validation would cost more than scoring a response does.
"""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from data_engine.http.access import log_access, request_id_of
from data_engine.http.reception import RETRY_SOON, Headers, Reception
from reward_server.errors import Refused, StaleGraph, UnknownExamples
from reward_server.server.metrics import Metrics
from reward_server.server.state import ServerState
from reward_server.snapshot import Snapshot
from reward_server.wire import MOST_CHARACTERS, MOST_RESPONSES

JSON = (b"content-type", b"application/json")


class Batch(Protocol):
    """A decoded request: so many things to answer, for a graph."""

    @property
    def graph_digest(self) -> str | None: ...

    def __len__(self) -> int: ...


Request = TypeVar("Request", bound=Batch)


class Endpoint(Generic[Request]):
    """A POST endpoint that answers with JSON always: 200 with replies, or {"detail"}.

    Refusals are 400, 401, 404, 405, 408, 409, 411, 413, 415, 422, 429 and 503. A subclass says what
    a request is (`request_type`) and how it is answered (`reply`). Requests of a size of up to
    `most_unthreaded` are answered in the event loop, larger ones in a thread.
    """

    request_type: ClassVar[type[Any]]  # of a body
    most_unthreaded: ClassVar[int]
    options: ClassVar[tuple[str, ...]] = ()  # that a query string may have
    limits: ClassVar[str] = f"1 to {MOST_RESPONSES} responses of up to {MOST_CHARACTERS} characters"

    def __init__(
        self,
        state: ServerState,
        metrics: Metrics,
        *,
        most_bytes: int,
        at_once: int,
        seconds: float,
    ) -> None:
        self.state, self.metrics = state, metrics
        self.seconds = seconds
        self._reception = Reception(most_bytes=most_bytes, at_once=at_once, seconds=seconds)
        # One batch after the other: threads side by side only compete for the interpreter.
        self._batches = ThreadPoolExecutor(1)
        self._decode = msgspec.json.Decoder(self.request_type).decode
        self._encode = msgspec.json.Encoder().encode

    def reply(self, snapshot: Snapshot, request: Request, deadline: float) -> tuple[bytes, float]:
        """The body, and the seconds that encoding it took. Raises RewardError.

        deadline: on the clock of `time.perf_counter`.
        """
        raise NotImplementedError

    def size(self, request: Request) -> int:
        """How much work a request is: the number of responses, where nothing else is said."""
        return len(request)

    def decode(self, body: bytes, options: dict[str, str]) -> Request:
        """The request in a body; `options` are those of the query string.

        Raises msgspec.DecodeError for another body, Refused.
        """
        request: Request = self._decode(body)
        return request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        start = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        extra: dict[str, str] = {}
        try:
            if scope["method"] != "POST":
                raise Refused(405, "send a POST", {"allow": "POST"})
            code, (body, count) = 200, await self._answer(scope, headers, receive, start)
        except Refused as refusal:
            code, extra, count = refusal.code, refusal.headers, 0
            body = json.dumps({"detail": str(refusal)}).encode()
        seconds = time.perf_counter() - start
        self.metrics.record_request(code, seconds)
        request_id = request_id_of(headers)
        lines = [(name.encode(), value.encode("latin-1")) for name, value in extra.items()]
        lines += [
            JSON,
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": code, "headers": lines})
        await send({"type": "http.response.body", "body": body})
        log_access(scope, request_id, code, seconds, responses=count)

    async def _answer(
        self, scope: Scope, headers: Headers, receive: Receive, start: float
    ) -> tuple[bytes, int]:
        """The body, and the number of responses in it. Raises Refused."""
        self.state.tokens.check(headers.get(b"authorization", ""), "score")
        body = await self._reception.receive(headers, receive)
        # Requests that came meanwhile join the queue now, behind this one: else one that just
        # missed a round would wait for two.
        await asyncio.sleep(0)
        with self._reception.place():  # only now: a body that never comes takes no place
            try:
                return await self._process(body, scope.get("query_string", b""), start)
            except UnknownExamples as error:
                raise Refused(404, str(error)) from error
            except StaleGraph as error:
                raise Refused(409, str(error)) from error

    async def _process(self, body: bytes, query: bytes, start: float) -> tuple[bytes, int]:
        request = self._parse(body, query)
        received = time.perf_counter()
        snapshot = self.state.snapshot
        if request.graph_digest not in (None, snapshot.digest):
            raise StaleGraph(
                f"the request is for graph {request.graph_digest}, this server holds "
                f"{snapshot.digest}: restart it on the current store"
            )
        deadline = start + self.seconds
        if self.size(request) <= self.most_unthreaded:
            answer, encoding = self.reply(snapshot, request, deadline)
        else:
            running = self._batches.submit(self.reply, snapshot, request, deadline)
            answer, encoding = await asyncio.wrap_future(running)
        scoring = time.perf_counter() - received - encoding
        self.metrics.record_stages(received - start, scoring, encoding)
        return answer, len(request)

    def _parse(self, body: bytes, query: bytes) -> Request:
        options = self._options(query)
        if not body:
            raise Refused(422, "the body is empty: send JSON")
        try:
            return self.decode(body, options)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            limits = f" ({self.limits})" if self.limits else ""
            raise Refused(422, f"{str(error)[:200]}{limits}") from error

    def _options(self, query: bytes) -> dict[str, str]:
        """The options of a query string. Raises Refused (422) for others."""
        found = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        if unknown := sorted(found.keys() - set(self.options)):
            taken = ", ".join(self.options) or "none, but the body has fields"
            raise Refused(422, f"no option {unknown[0][:50]!r}: the URL takes {taken}")
        return found


def check_deadline(deadline: float) -> None:
    """Raise Refused (503) after the deadline: a late reply would be thrown away."""
    if time.perf_counter() > deadline:
        raise Refused(503, "the batch could not be scored in time: send smaller ones", RETRY_SOON)
