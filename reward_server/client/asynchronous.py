"""The asynchronous client, generic over what is asked and what is replied."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self

import httpx

from reward_server.client.endpoints import (
    Endpoint,
    Reply,
    Request,
    head_endpoint,
    look_endpoint,
    score_endpoint,
)
from reward_server.client.retry import (
    CLOSED,
    REQUEST_TIMEOUT,
    Attempts,
    RetryPolicy,
    is_retryable,
    read_replies,
)
from reward_server.client.servers import ServerList, request_headers
from reward_server.errors import BadResponses, RewardError, UnknownExamples
from reward_server.wire import HeadAsk, HeadScore, Look, Looked, Response, Score, Weights

GATHER_SECONDS = 0.01  # calls made within this time travel together
# Requests under way at once, one worked on and one next. With more, a request would wait behind
# others of this client until REQUEST_TIMEOUT, and be sent again.
MOST_IN_FLIGHT = 2


@dataclass(frozen=True, eq=False)
class Pending(Generic[Request, Reply]):
    """A call that waits for its reply."""

    request: Request
    reply: "asyncio.Future[Reply]"

    def fail(self, error: Exception) -> None:
        """Raise the error in the call, unless it has ended."""
        if not self.reply.done():
            self.reply.set_exception(error)


class AsyncClient(Generic[Request, Reply]):
    """One request per call, as a trainer's agent loops make them; concurrent calls share batches.

    Calls made within GATHER_SECONDS, or while MOST_IN_FLIGHT batches are under way, travel
    together. Use as an asynchronous context manager, or call `aclose`.
    """

    def __init__(
        self, servers: ServerList, endpoint: Endpoint[Request, Reply], policy: RetryPolicy
    ) -> None:
        self.servers = servers
        self._endpoint, self._policy = endpoint, policy
        self._http = httpx.AsyncClient(timeout=REQUEST_TIMEOUT, headers=request_headers())
        self._pending: list[Pending[Request, Reply]] = []
        self._senders: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; calls that still wait raise RewardError. May be called again."""
        self._closed = True
        senders = tuple(self._senders)
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        _fail(self._pending, RewardError(CLOSED))
        await self._http.aclose()

    async def score(self, request: Request) -> Reply:
        """The reply to one request. Another call's bad request never fails this one.

        Raises UnknownExamples, BadResponses, StaleGraph, ServerUnreachable or another RewardError.
        """
        if self._closed:
            raise RewardError(CLOSED)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending.append(Pending(request, reply))
        if len(self._senders) < MOST_IN_FLIGHT:
            self._senders.add(asyncio.create_task(self._send_pending()))
        return await reply

    async def _send_pending(self) -> None:
        """Send batch after batch until nothing is pending."""
        size = self._endpoint.batch_size
        try:
            await asyncio.sleep(GATHER_SECONDS)
            while self._pending:
                batch, self._pending = self._pending[:size], self._pending[size:]
                await self._send(batch)
        finally:
            # Not in a callback: a call that came before it ran would wait for an ended sender.
            self._senders.discard(_current_task())

    async def _send(self, batch: list[Pending[Request, Reply]]) -> None:
        """Send one batch and hand out replies or errors; a refused one again, call by call."""
        try:
            body = self._endpoint.encode([pending.request for pending in batch])
            replies = await self._post(body)
        except (UnknownExamples, BadResponses) as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:  # only the bad requests of the batch fail
                await asyncio.gather(*(self._send([pending]) for pending in batch))
        except Exception as error:  # belongs to the calls, whatever it is
            _fail(batch, error)
        except asyncio.CancelledError:
            _fail(batch, RewardError(CLOSED))
            raise
        else:
            for pending, reply in zip(batch, replies, strict=True):
                if not pending.reply.done():  # the call may have been cancelled
                    pending.reply.set_result(reply)

    async def _post(self, body: bytes) -> list[Reply]:
        attempts = Attempts(self.servers, self._policy)
        while True:
            server = attempts.next_server()
            try:
                answer = await self._http.post(f"{server}{self._endpoint.path}", content=body)
            except httpx.TransportError as error:
                pause = attempts.failed(type(error).__name__)
            else:
                if not is_retryable(answer):
                    return read_replies(answer, self._endpoint, server)
                pause = attempts.refused(answer)
            await asyncio.sleep(pause)


class AsyncRewardClient(AsyncClient[Response, Score]):
    """Asynchronous client of `POST /v1/score`; arguments as of `RewardClient`."""

    def __init__(
        self,
        url: str,
        digest: str | None = None,
        profile: str | Weights = "rerec",
        retries: int = RetryPolicy.retries,
        deadline: float = RetryPolicy.deadline,
        claims: bool = True,
    ) -> None:
        super().__init__(
            ServerList(url), score_endpoint(digest, profile, claims), RetryPolicy(retries, deadline)
        )


class AsyncHeadClient(AsyncClient[HeadAsk, HeadScore]):
    """Asynchronous client of `POST /v1/rechead/score`, for responses about the next item.

    k: the cut-off of NDCG@k. head: the digest of the RecHead that the server must hold.
    """

    def __init__(
        self,
        url: str,
        digest: str | None = None,
        k: int = 10,
        retries: int = RetryPolicy.retries,
        head: str | None = None,
    ) -> None:
        super().__init__(ServerList(url), head_endpoint(digest, head, k), RetryPolicy(retries))


class AsyncLookClient(AsyncClient[Look, Looked]):
    """Asynchronous client of `POST /v1/look`, for a policy that looks up facts while it reasons."""

    def __init__(
        self, url: str, digest: str | None = None, retries: int = RetryPolicy.retries
    ) -> None:
        super().__init__(ServerList(url), look_endpoint(digest), RetryPolicy(retries))


def _current_task() -> "asyncio.Task[None]":
    task = asyncio.current_task()
    assert task is not None
    return task


def _fail(batch: Sequence[Pending[Request, Reply]], error: Exception) -> None:
    for pending in batch:
        pending.fail(error)
