"""POST /v1/score, /v1/rechead/score and /v1/look as bare ASGI applications: limits first, then pure functions. All else is in `app.py`.

A framework's routing and validation would cost more than scoring a response does.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from random import getrandbits

import msgspec

from reward_server.errors import Refused, StaleGraph, UnknownExamples
from reward_server.scoring import PROFILES, digest
from reward_server.server.guards import Patience, read_body
from reward_server.server.live import Live
from reward_server.server.metrics import Metrics
from reward_server.snapshot import Snapshot
from reward_server.wire import (
    MOST_CHARACTERS,
    MOST_RESPONSES,
    HeadRequest,
    HeadResponse,
    LookRequest,
    LookResponse,
    ScoreRequest,
    ScoreResponse,
    Weights,
)

Asgi = Callable[
    [dict, Callable[[], Awaitable[dict]], Callable[[dict], Awaitable[None]]], Awaitable[None]
]

access = logging.getLogger("rerec.access")
CHUNK = (
    32  # responses scored between two looks at the clock; up to so many are scored without a thread
)
HEAD_CHUNK = 128
JSON = (b"content-type", b"application/json")


class Endpoint:
    """Answers with JSON always: 200 with scores, else {"detail"}: 400, 401, 404, 405, 408, 409, 411, 413, 415, 422, 429, 503. What it reads and
    what it replies is its subclasses' own."""

    asked: type  # of a request: it has a length and a `graph_digest`
    unthreaded: int  # up to so many are answered at once, more in a thread of their own

    def __init__(
        self, live: Live, metrics: Metrics, *, most_bytes: int, at_once: int, seconds: float
    ) -> None:
        self.live, self.metrics = live, metrics
        self.most_bytes, self.at_once, self.seconds = most_bytes, at_once, seconds
        self._patience = Patience(seconds)
        self.running = self.held = (
            0  # requests being scored, and bytes of bodies that are still arriving
        )
        self._batches = ThreadPoolExecutor(
            1
        )  # one after the other: threads side by side only fight for the interpreter
        self._decode = msgspec.json.Decoder(self.asked).decode
        self._encode = msgspec.json.Encoder().encode

    def reply(self, snapshot: Snapshot, request: object, deadline: float) -> tuple[bytes, float]:
        """The body, and the seconds that encoding it took. Raises RewardError."""
        raise NotImplementedError

    async def __call__(
        self,
        scope: dict,
        receive: Callable[[], Awaitable[dict]],
        send: Callable[[dict], Awaitable[None]],
    ) -> None:
        """The ASGI interface."""
        start, headers = (
            time.perf_counter(),
            {name: value.decode("latin-1") for name, value in scope["headers"]},
        )
        request_id = headers.get(b"x-request-id", "")[:64]
        request_id = request_id if request_id.isalnum() else f"{getrandbits(64):016x}"
        extra: dict[str, str] = {}
        try:
            if scope["method"] != "POST":
                raise Refused(405, "send a POST", {"allow": "POST"})
            code, body, count = 200, *await self._answer(headers, receive, start)
        except Refused as refusal:
            code, extra, count = refusal.code, refusal.headers, 0
            body = json.dumps({"detail": str(refusal)}).encode()
        seconds = time.perf_counter() - start
        self.metrics.answered(code, seconds)
        lines = [(name.encode(), value.encode("latin-1")) for name, value in extra.items()]
        lines += [
            JSON,
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": code, "headers": lines})
        await send({"type": "http.response.body", "body": body})
        if access.isEnabledFor(logging.INFO):
            client = (scope.get("client") or ("",))[0]
            access.info(
                json.dumps(
                    {
                        "id": request_id,
                        "client": client,
                        "status": code,
                        "responses": count,
                        "ms": round(seconds * 1000, 2),
                    }
                )
            )

    async def _answer(
        self, headers: dict[bytes, str], receive: Callable[[], Awaitable[dict]], start: float
    ) -> tuple[bytes, int]:
        self.live.tokens.check(headers.get(b"authorization", ""), "score")
        try:
            with self._patience:
                chunks = self._chunks(receive)
                body = await read_body(
                    chunks,
                    headers.get(b"content-length", ""),
                    headers.get(b"content-encoding", ""),
                    self.most_bytes,
                )
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self.seconds:g} s") from None
        await asyncio.sleep(
            0
        )  # who came meanwhile joins the queue now, behind us: else who just missed a round would wait for two
        if self.running >= self.at_once:  # only now: a body that never comes takes nobody's place
            raise Refused(
                429,
                f"{self.running} requests are being served: try again in a second",
                {"retry-after": "1"},
            )
        self.running += 1
        try:
            request = self._parse(body)
            received = time.perf_counter()
            snapshot = self.live.snapshot
            if request.graph_digest not in (None, snapshot.digest):
                raise StaleGraph(
                    f"the request is for graph {request.graph_digest}, this server holds {snapshot.digest}: restart it on the current store"
                )
            work = (snapshot, request, start + self.seconds)
            few = len(request) <= self.unthreaded
            answer, encoding = (
                self.reply(*work)
                if few
                else await asyncio.wrap_future(self._batches.submit(self.reply, *work))
            )
            self.metrics.staged(
                received - start, time.perf_counter() - received - encoding, encoding
            )
            return answer, len(request)
        except UnknownExamples as error:
            raise Refused(404, str(error)) from error
        except StaleGraph as error:
            raise Refused(409, str(error)) from error
        finally:
            self.running -= 1

    async def _chunks(self, receive: Callable[[], Awaitable[dict]]) -> AsyncIterator[bytes]:
        """The body as it arrives; all that arrive at a time may hold as many bytes as `at_once` of the largest."""
        mine = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the client went away")
                chunk = message.get("body", b"")
                mine, self.held = mine + len(chunk), self.held + len(chunk)
                if self.held > self.at_once * self.most_bytes:
                    raise Refused(
                        429,
                        "too many large bodies at a time: try again in a second",
                        {"retry-after": "1"},
                    )
                yield chunk
                if not message.get("more_body"):
                    return
        finally:
            self.held -= mine

    def _parse(self, body: bytes) -> object:
        try:
            return self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            limits = f"1 to {MOST_RESPONSES} responses of up to {MOST_CHARACTERS} characters"
            raise Refused(422, f"{str(error)[:200]} ({limits})") from error


class ScoreEndpoint(Endpoint):
    """POST /v1/score."""

    asked, unthreaded = ScoreRequest, CHUNK

    def reply(
        self, snapshot: Snapshot, request: ScoreRequest, deadline: float
    ) -> tuple[bytes, float]:
        """A chunk is encoded and counted while the processor's caches still hold it; in between others have their turn. Gives up at the deadline:
        late scores would be thrown away."""
        weights, pieces, encoding = _weights(request), [], 0.0
        for start in range(0, len(request.responses), CHUNK):
            if time.perf_counter() > deadline:
                raise Refused(
                    503,
                    "the batch could not be scored in time: send smaller ones",
                    {"retry-after": "1"},
                )
            scores = snapshot.score(
                request.responses[start : start + CHUNK], weights, claims=request.claims
            )
            scored = time.perf_counter()
            pieces.append(self._encode(scores)[1:-1])
            encoding += time.perf_counter() - scored
            self.metrics.scored(scores)
        opening = self._encode(ScoreResponse(snapshot.digest, digest(weights), []))[:-2]
        return b"".join((opening, b",".join(pieces), b"]}")), encoding


class HeadEndpoint(Endpoint):
    """POST /v1/rechead/score."""

    asked, unthreaded = HeadRequest, 0

    def reply(
        self, snapshot: Snapshot, request: HeadRequest, deadline: float
    ) -> tuple[bytes, float]:
        """As `ScoreEndpoint.reply`, with larger chunks: a sentence encoder likes them."""
        head, scores = snapshot.head, []
        if head is None:
            raise Refused(404, "this server holds no RecHead: start it with --rechead FOLDER")
        if request.head_digest not in (None, head.digest):
            raise StaleGraph(
                f"the request is for head {request.head_digest}, this server holds {head.digest}: train or serve that one"
            )
        for start in range(0, len(request.responses), HEAD_CHUNK):
            if time.perf_counter() > deadline:
                raise Refused(
                    503,
                    "the batch could not be scored in time: send smaller ones",
                    {"retry-after": "1"},
                )
            scores += head.score(request.responses[start : start + HEAD_CHUNK], request.k)
        self.metrics.headed(scores)
        scored = time.perf_counter()
        return self._encode(
            HeadResponse(snapshot.digest, head.digest, scores)
        ), time.perf_counter() - scored


class LookEndpoint(Endpoint):
    """POST /v1/look."""

    asked, unthreaded = LookRequest, MOST_RESPONSES

    def reply(
        self, snapshot: Snapshot, request: LookRequest, deadline: float
    ) -> tuple[bytes, float]:
        """Look-ups take microseconds each: no deadline is looked at."""
        return self._encode(LookResponse(snapshot.digest, snapshot.look_up(request.calls))), 0.0


def _weights(request: ScoreRequest) -> Weights:
    if request.weights is not None:
        return request.weights
    if request.profile not in PROFILES:
        raise Refused(
            422,
            f"no profile {request.profile!r}: choose from {', '.join(PROFILES)}, or send weights",
        )
    return PROFILES[request.profile]
