"""The base of the endpoints that score: bare ASGI applications, limits first, then pure functions.

A framework's routing and validation would cost more than scoring a response does.
"""

import asyncio
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from random import getrandbits
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec
from starlette.types import Receive, Scope, Send

from reward_server.errors import Refused, StaleGraph, UnknownExamples
from reward_server.server.body import ArrivingBodies, read_body
from reward_server.server.deadline import DeadlineWatcher
from reward_server.server.metrics import Metrics
from reward_server.server.state import ServerState
from reward_server.snapshot import Snapshot
from reward_server.wire import MOST_CHARACTERS, MOST_RESPONSES

access = logging.getLogger("rerec.access")
JSON = (b"content-type", b"application/json")
RETRY_SOON = {"retry-after": "1"}
Headers = dict[bytes, str]


class Batch(Protocol):
    """A decoded request: so many things to answer, for a graph."""

    @property
    def graph_digest(self) -> str | None: ...

    def __len__(self) -> int: ...


Request = TypeVar("Request", bound=Batch)


class Endpoint(Generic[Request]):
    """A POST endpoint that answers with JSON always: 200 with replies, or {"detail"}.

    Refusals are 400, 401, 404, 405, 408, 409, 411, 413, 415, 422, 429 and 503. A subclass says what
    a request is (`request_type`) and how it is answered (`reply`). Requests of up to
    `most_unthreaded` responses are answered in the event loop, larger ones in a thread.
    """

    request_type: ClassVar[type[Any]]  # of a body
    most_unthreaded: ClassVar[int]

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
        self.most_bytes, self.at_once, self.seconds = most_bytes, at_once, seconds
        self.running = 0  # requests being answered
        self._bodies = ArrivingBodies(at_once * most_bytes)
        self._receive_deadline = DeadlineWatcher(seconds)
        # One batch after the other: threads side by side only compete for the interpreter.
        self._batches = ThreadPoolExecutor(1)
        self._decode = msgspec.json.Decoder(self.request_type).decode
        self._encode = msgspec.json.Encoder().encode

    def reply(self, snapshot: Snapshot, request: Request, deadline: float) -> tuple[bytes, float]:
        """The body, and the seconds that encoding it took. Raises RewardError.

        deadline: on the clock of `time.perf_counter`.
        """
        raise NotImplementedError

    def decode(self, body: bytes, query: bytes) -> Request:
        """The request in a body, and in the query string of the URL where that counts.

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
        request_id = _request_id(headers)
        lines = [(name.encode(), value.encode("latin-1")) for name, value in extra.items()]
        lines += [
            JSON,
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": code, "headers": lines})
        await send({"type": "http.response.body", "body": body})
        if access.isEnabledFor(logging.INFO):
            _log_access(scope, request_id, code, count, seconds)

    async def _answer(
        self, scope: Scope, headers: Headers, receive: Receive, start: float
    ) -> tuple[bytes, int]:
        """The body, and the number of responses in it. Raises Refused."""
        self.state.tokens.check(headers.get(b"authorization", ""), "score")
        body = await self._receive(headers, receive)
        # Requests that came meanwhile join the queue now, behind this one: else one that just
        # missed a round would wait for two.
        await asyncio.sleep(0)
        if self.running >= self.at_once:  # only now: a body that never comes takes no place
            raise Refused(
                429, f"{self.running} requests are being served: try again in a second", RETRY_SOON
            )
        self.running += 1
        try:
            return await self._process(body, scope.get("query_string", b""), start)
        except UnknownExamples as error:
            raise Refused(404, str(error)) from error
        except StaleGraph as error:
            raise Refused(409, str(error)) from error
        finally:
            self.running -= 1

    async def _receive(self, headers: Headers, receive: Receive) -> bytes:
        try:
            with self._receive_deadline:
                return await read_body(
                    self._bodies.chunks(receive),
                    headers.get(b"content-length", ""),
                    headers.get(b"content-encoding", ""),
                    self.most_bytes,
                )
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self.seconds:g} s") from None

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
        if len(request) <= self.most_unthreaded:
            answer, encoding = self.reply(snapshot, request, deadline)
        else:
            running = self._batches.submit(self.reply, snapshot, request, deadline)
            answer, encoding = await asyncio.wrap_future(running)
        scoring = time.perf_counter() - received - encoding
        self.metrics.record_stages(received - start, scoring, encoding)
        return answer, len(request)

    def _parse(self, body: bytes, query: bytes) -> Request:
        try:
            return self.decode(body, query)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            limits = f"1 to {MOST_RESPONSES} responses of up to {MOST_CHARACTERS} characters"
            raise Refused(422, f"{str(error)[:200]} ({limits})") from error


def check_deadline(deadline: float) -> None:
    """Raise Refused (503) after the deadline: a late reply would be thrown away."""
    if time.perf_counter() > deadline:
        raise Refused(503, "the batch could not be scored in time: send smaller ones", RETRY_SOON)


def _request_id(headers: Headers) -> str:
    """The id that the client gave its request, or one at random."""
    given = headers.get(b"x-request-id", "")[:64]
    return given if given.isalnum() else f"{getrandbits(64):016x}"


def _log_access(scope: Scope, request_id: str, code: int, count: int, seconds: float) -> None:
    """One JSON line: no token and no text of a response."""
    facts = {
        "id": request_id,
        "client": (scope.get("client") or ("",))[0],
        "status": code,
        "responses": count,
        "ms": round(seconds * 1000, 2),
    }
    access.info(json.dumps(facts))
