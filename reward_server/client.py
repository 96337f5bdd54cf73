"""Clients for trainers and evaluators: typed, bounded retries, and never an invented score.

A connection failure, a timeout or a 5xx is retried with backoff, then ServerUnreachable names the URL. A 4xx is the caller's
mistake and is raised at once with the server's own words.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Self

import httpx
import msgspec

from reward_server.errors import RewardError, ServerUnreachable, StaleGraph, UnknownExamples
from reward_server.wire import MOST_RESPONSES, Response, Score, ScoreRequest, ScoreResponse

RETRIES, FIRST_WAIT, TIMEOUT, GATHER = 4, 0.25, 30.0, 0.01
_NAMED = {404: UnknownExamples, 409: StaleGraph}


def _checked(answer: httpx.Response, url: str) -> ScoreResponse | None:
    """The scores, None for a 5xx (worth another try); raises for a 4xx."""
    if answer.status_code >= 500:
        return None
    if answer.status_code >= 400:
        detail = answer.json().get("detail") if "json" in answer.headers.get("content-type", "") else answer.text[:200]
        raise _NAMED.get(answer.status_code, RewardError)(f"{url} refused the request ({answer.status_code}): {detail}")
    return msgspec.json.decode(answer.content, type=ScoreResponse)


def _wait(attempt: int) -> float:
    return FIRST_WAIT * 2**attempt * (0.5 + random.random())


def _unreachable(url: str, reason: object) -> ServerUnreachable:
    return ServerUnreachable(f"the reward server at {url} does not answer ({reason}): start it with `rerec serve`, or check the URL")


class RewardClient:
    """Blocking client. `digest`, when given, must be the server's. Use as a context manager."""

    def __init__(self, url: str, digest: str | None = None, profile: str = "rerec", retries: int = RETRIES) -> None:
        self.url, self.digest, self.profile, self.retries = url.rstrip("/"), digest, profile, retries
        self._http = httpx.Client(timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ready(self) -> dict[str, object]:
        """The server's digest and number of Examples. Raises ServerUnreachable within seconds, StaleGraph for another graph."""
        try:
            answer = self._http.get(f"{self.url}/ready", timeout=3.0)
            facts = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError) as error:
            raise _unreachable(self.url, type(error).__name__) from error
        if "graph_digest" not in facts:
            raise _unreachable(self.url, f"HTTP {answer.status_code}, not a rerec reward server")
        if self.digest not in (None, facts["graph_digest"]):
            raise StaleGraph(
                f"the server at {self.url} holds graph {facts['graph_digest']}, this run needs {self.digest}: restart it on the same store"
            )
        return facts

    def score(self, responses: Sequence[Response]) -> list[Score]:
        """Scores in order, any number of responses (sent in batches)."""
        scores: list[Score] = []
        for start in range(0, len(responses), MOST_RESPONSES):
            request = ScoreRequest(graph_digest=self.digest, profile=self.profile, responses=list(responses[start : start + MOST_RESPONSES]))
            scores += self._post(msgspec.json.encode(request))
        return scores

    def _post(self, body: bytes) -> list[Score]:
        url, reason = f"{self.url}/v1/score", "no try"
        for attempt in range(self.retries + 1):
            try:
                found = _checked(self._http.post(url, content=body, headers={"content-type": "application/json"}), url)
                if found is not None:
                    return found.scores
                reason = "server error"
            except httpx.TransportError as error:
                reason = type(error).__name__
            if attempt < self.retries:
                time.sleep(_wait(attempt))
        raise _unreachable(self.url, reason)


class AsyncRewardClient:
    """The same for an event loop, one response a call (a trainer's agent loops): what is asked within GATHER seconds travels together."""

    def __init__(self, url: str, digest: str | None = None, profile: str = "rerec", retries: int = RETRIES) -> None:
        self.url, self.digest, self.profile, self.retries = url.rstrip("/"), digest, profile, retries
        self._http = httpx.AsyncClient(timeout=TIMEOUT)
        self._waiting: list[tuple[Response, asyncio.Future[Score]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def score(self, response: Response) -> Score:
        """One score. Raises as `RewardClient.score`; another call's bad response never fails this one."""
        answer: asyncio.Future[Score] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            task = asyncio.create_task(self._send())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting.append((response, answer))
        return await answer

    async def _send(self) -> None:
        await asyncio.sleep(GATHER)
        batch, self._waiting = self._waiting, []
        for start in range(0, len(batch), MOST_RESPONSES):
            await self._answer(batch[start : start + MOST_RESPONSES])

    async def _answer(self, batch: list[tuple[Response, asyncio.Future[Score]]]) -> None:
        try:
            found = await self._post([response for response, _ in batch])
        except UnknownExamples as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:
                await asyncio.gather(*(self._answer([one]) for one in batch))  # only the guilty fail
        except Exception as error:  # whatever it is belongs to the callers
            _fail(batch, error)
        else:
            for (_, answer), score in zip(batch, found, strict=True):
                if not answer.done():  # the caller may have gone
                    answer.set_result(score)

    async def _post(self, responses: list[Response]) -> list[Score]:
        url, reason = f"{self.url}/v1/score", "no try"
        body = msgspec.json.encode(ScoreRequest(graph_digest=self.digest, profile=self.profile, responses=responses))
        for attempt in range(self.retries + 1):
            try:
                found = _checked(await self._http.post(url, content=body, headers={"content-type": "application/json"}), url)
                if found is not None:
                    return found.scores
                reason = "server error"
            except httpx.TransportError as error:
                reason = type(error).__name__
            if attempt < self.retries:
                await asyncio.sleep(_wait(attempt))
        raise _unreachable(self.url, reason)


def _fail(batch: list[tuple[Response, asyncio.Future[Score]]], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)
