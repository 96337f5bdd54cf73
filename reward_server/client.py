"""Clients for trainers and evaluators: typed, bounded retries, several servers, and never an invented score.

A connection failure, a timeout, a 429 or a 5xx is tried again after a pause, at the next server where several are given, until the
retries or the deadline are spent; then ServerUnreachable names the servers. Any other 4xx is the caller's mistake and is raised at once
with the server's own words. A token is taken from the environment (REREC_TOKEN), never from an argument that a log might show.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import httpx
import msgspec

from reward_server.errors import (
    BadResponses,
    RewardError,
    ServerUnreachable,
    StaleGraph,
    UnknownExamples,
)
from reward_server.wire import (
    MOST_RESPONSES,
    HeadAsk,
    HeadRequest,
    HeadResponse,
    HeadScore,
    Look,
    Looked,
    LookRequest,
    LookResponse,
    Response,
    Score,
    ScoreRequest,
    ScoreResponse,
    Weights,
)

RETRIES, FIRST_WAIT, LONGEST_WAIT, TIMEOUT, DEADLINE, GATHER = 4, 0.25, 10.0, 30.0, 120.0, 0.01
AT_ONCE = 2  # requests of an asynchronous client, one worked on and one next: what waits longer than TIMEOUT behind its own others is asked again
_NAMED = {404: UnknownExamples, 409: StaleGraph, 413: BadResponses, 422: BadResponses}
CLOSED = "this client of the reward server is closed: make another"
_ENCODE = msgspec.json.Encoder().encode


@dataclass
class Pool:
    """The servers of a client, by which profile or weights they score, how to ask them and how often. `urls` are separated by commas;
    `deadline` is in seconds for one call; without `claims` a score has none, at about half the cost."""

    urls: str
    digest: str | None = None
    profile: str | Weights = "rerec"
    retries: int = RETRIES
    deadline: float = DEADLINE
    claims: bool = True
    servers: list[str] = field(init=False)
    path: ClassVar[str] = "/v1/score"
    answers: ClassVar[type] = ScoreResponse
    most: ClassVar[int] = MOST_RESPONSES  # of one request

    def __post_init__(self) -> None:
        self.servers = list(
            dict.fromkeys(url.strip().rstrip("/") for url in self.urls.split(",") if url.strip())
        )
        if not self.servers:
            raise RewardError(
                "no reward server given: expected a URL such as http://127.0.0.1:8700"
            )

    @property
    def headers(self) -> dict[str, str]:
        """With the token of the environment, if there is one."""
        token = os.environ.get("REREC_TOKEN")
        return {"content-type": "application/json"} | (
            {"authorization": f"Bearer {token}"} if token else {}
        )

    def batches(
        self,
        responses: Sequence[Response],
        profile: str | Weights | None = None,
        claims: bool | None = None,
    ) -> Iterator[bytes]:
        """Request bodies, at most `most` responses in each; `profile` and `claims` in place of the client's own."""
        profile, claims = profile or self.profile, self.claims if claims is None else claims
        for start in range(0, len(responses), self.most):
            named = {"profile": profile} if isinstance(profile, str) else {"weights": profile}
            yield _ENCODE(
                ScoreRequest(
                    list(responses[start : start + self.most]), self.digest, claims=claims, **named
                )
            )

    def attempts(self) -> Iterator[tuple[int, str]]:
        """(number, server) of each attempt, within retries and deadline: whoever asks for another has failed with the last one."""
        end = time.monotonic() + self.deadline
        for attempt in range(self.retries + 1):
            yield attempt, (server := self.servers[0])
            self.leave(server)
            if time.monotonic() > end:
                return

    def leave(self, server: str) -> None:
        """A server that failed goes to the end of the line. Others who ask at the same time may have moved it, or another, meanwhile."""
        self.servers = [*(one for one in self.servers if one != server), server]

    def unreachable(self, reason: object) -> ServerUnreachable:
        """What to raise when all attempts are spent."""
        return ServerUnreachable(
            f"the reward server at {' and '.join(sorted(self.servers))} does not answer ({reason}): start it with `rerec serve`, or check the URL"
        )


@dataclass
class HeadPool(Pool):
    """The same for a RecHead (of this digest, where one is named), which ranks to the k-th place."""

    k: int = 10
    head: str | None = None
    path = "/v1/rechead/score"
    answers = HeadResponse
    most = 32  # fresh words are encoded first: a hundredth of a second each, and far more where cores are shared

    def batches(self, responses: Sequence[HeadAsk]) -> Iterator[bytes]:
        """As `Pool.batches`."""
        for start in range(0, len(responses), self.most):
            yield _ENCODE(
                HeadRequest(
                    list(responses[start : start + self.most]), self.digest, self.head, self.k
                )
            )


@dataclass
class LookPool(Pool):
    """The same for look-ups."""

    path = "/v1/look"
    answers = LookResponse

    def batches(self, responses: Sequence[Look]) -> Iterator[bytes]:
        """As `Pool.batches`."""
        for start in range(0, len(responses), self.most):
            yield _ENCODE(LookRequest(list(responses[start : start + self.most]), self.digest))


def _read(answer: httpx.Response, url: str, kind: type) -> ScoreResponse | HeadResponse | str:
    """The scores, or why another try is worth it; raises for what another try cannot mend."""
    if answer.status_code == 200:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as error:
            raise RewardError(
                f"{url} answered with something else than scores ({error}): is it a rerec reward server of this version?"
            ) from error
    if answer.status_code == 429 or answer.status_code >= 500:
        return f"HTTP {answer.status_code}"
    detail = (
        answer.json().get("detail")
        if "json" in answer.headers.get("content-type", "")
        else answer.text[:200]
    )
    raise _NAMED.get(answer.status_code, RewardError)(
        f"{url} refused the request ({answer.status_code}): {detail}"
    )


def _pause(attempt: int, answer: httpx.Response | None) -> float:
    """Seconds to wait: what the server asks for, else doubling with jitter."""
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    return min(LONGEST_WAIT, float(asked) if asked.isdigit() else FIRST_WAIT * 2**attempt / 2) * (
        1 + random.random()
    )


class RewardClient:
    """Blocking client. `digest`, when given, must be the server's. Use as a context manager."""

    def __init__(
        self,
        url: str,
        digest: str | None = None,
        profile: str | Weights = "rerec",
        retries: int = RETRIES,
        deadline: float = DEADLINE,
        claims: bool = True,
    ) -> None:
        self.pool = Pool(url, digest, profile, retries, deadline, claims)
        self._http = httpx.Client(timeout=TIMEOUT, headers=self.pool.headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ready(self) -> dict[str, object]:
        """Digests and number of Examples of the first server that answers. Raises ServerUnreachable within seconds for each, StaleGraph for another
        graph."""
        reason: object = ""
        for url in tuple(self.pool.servers):
            try:
                answer = self._http.get(f"{url}/ready", timeout=3.0)
                facts = answer.json() if answer.status_code == 200 else {}
                if "graph_digest" in facts:
                    break
                reason = f"HTTP {answer.status_code}, not a rerec reward server"
            except (httpx.HTTPError, ValueError) as error:
                reason = type(error).__name__
            self.pool.leave(url)
        else:
            raise self.pool.unreachable(reason)
        if self.pool.digest not in (None, facts["graph_digest"]):
            raise StaleGraph(
                f"the server at {url} holds graph {facts['graph_digest']}, this run needs {self.pool.digest}: restart it on the same store"
            )
        return facts

    def score(
        self,
        responses: Sequence[Response],
        profile: str | Weights | None = None,
        claims: bool | None = None,
    ) -> list[Score]:
        """Scores in order, any number of responses (sent in batches); `profile` and `claims` in place of the client's own."""
        return [
            score
            for body in self.pool.batches(responses, profile, claims)
            for score in self._post(body)
        ]

    def _post(self, body: bytes) -> list[Score]:
        reason: object = "no try"
        for attempt, server in self.pool.attempts():
            answer = None
            try:
                answer = self._http.post(f"{server}{self.pool.path}", content=body)
                found = _read(answer, server, self.pool.answers)
                if not isinstance(found, str):
                    return found.scores
                reason = found
            except httpx.TransportError as error:
                reason = type(error).__name__
            if attempt < self.pool.retries:
                time.sleep(_pause(attempt, answer))
        raise self.pool.unreachable(reason)


class AsyncRewardClient:
    """The same for an event loop, one response a call (a trainer's agent loops): what is asked within GATHER seconds, or while AT_ONCE requests
    are on their way, travels together. Use as an asynchronous context manager, or call `aclose`."""

    def __init__(
        self,
        url: str,
        digest: str | None = None,
        profile: str | Weights = "rerec",
        retries: int = RETRIES,
        deadline: float = DEADLINE,
        claims: bool = True,
    ) -> None:
        self._open(Pool(url, digest, profile, retries, deadline, claims))

    def _open(self, pool: Pool) -> None:
        self.pool = pool
        self._http = httpx.AsyncClient(timeout=TIMEOUT, headers=pool.headers)
        self._waiting: list[tuple[Response, asyncio.Future[Score]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give the connections back. Who still waits for a score gets a RewardError."""
        self._closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _fail(self._waiting, RewardError(CLOSED))
        await self._http.aclose()

    async def score(self, response: Response) -> Score:
        """One score. Raises as `RewardClient.score`; another call's bad response never fails this one."""
        if self._closed:
            raise RewardError(CLOSED)
        answer: asyncio.Future[Score] = asyncio.get_running_loop().create_future()
        self._waiting.append((response, answer))
        if len(self._tasks) < AT_ONCE:
            self._tasks.add(asyncio.create_task(self._send()))
        return await answer

    async def _send(self) -> None:
        try:
            await asyncio.sleep(GATHER)
            while self._waiting:
                batch, self._waiting = (
                    self._waiting[: self.pool.most],
                    self._waiting[self.pool.most :],
                )
                await self._answer(batch)
        finally:  # here, not in a callback: whoever comes between the two would wait for a task that has ended
            self._tasks.discard(asyncio.current_task())

    async def _answer(self, batch: list[tuple[Response, asyncio.Future[Score]]]) -> None:
        try:
            (body,) = self.pool.batches([response for response, _ in batch])
            found = await self._post(body)
        except (UnknownExamples, BadResponses) as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:
                await asyncio.gather(
                    *(self._answer([one]) for one in batch)
                )  # only the guilty fail
        except Exception as error:  # whatever it is belongs to the callers
            _fail(batch, error)
        except asyncio.CancelledError:
            _fail(batch, RewardError(CLOSED))
            raise
        else:
            for (_, answer), score in zip(batch, found, strict=True):
                if not answer.done():  # the caller may have gone
                    answer.set_result(score)

    async def _post(self, body: bytes) -> list[Score]:
        reason: object = "no try"
        for attempt, server in self.pool.attempts():
            answer = None
            try:
                answer = await self._http.post(f"{server}{self.pool.path}", content=body)
                found = _read(answer, server, self.pool.answers)
                if not isinstance(found, str):
                    return found.scores
                reason = found
            except httpx.TransportError as error:
                reason = type(error).__name__
            if attempt < self.pool.retries:
                await asyncio.sleep(_pause(attempt, answer))
        raise self.pool.unreachable(reason)


class AsyncHeadClient(AsyncRewardClient):
    """The same for responses about what comes next, scored by the server's RecHead."""

    def __init__(
        self,
        url: str,
        digest: str | None = None,
        k: int = 10,
        retries: int = RETRIES,
        head: str | None = None,
    ) -> None:
        self._open(HeadPool(url, digest, retries=retries, k=k, head=head))

    async def score(self, response: HeadAsk) -> HeadScore:
        """One score. Raises as `RewardClient.score`."""
        return await super().score(response)


class AsyncLookClient(AsyncRewardClient):
    """The same for what a policy asks the graph while it thinks."""

    def __init__(self, url: str, digest: str | None = None, retries: int = RETRIES) -> None:
        self._open(LookPool(url, digest, retries=retries))

    async def score(self, response: Look) -> Looked:
        """What one look-up found. Raises as `RewardClient.score`."""
        return await super().score(response)


def _fail(batch: list[tuple[Response, asyncio.Future[Score]]], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)
