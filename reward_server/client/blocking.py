"""The blocking client, generic over what is asked and what is replied."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Generic, Self

import httpx

from reward_server.client.endpoints import Endpoint, Reply, Request, score_endpoint
from reward_server.client.retry import (
    CLOSED,
    REQUEST_TIMEOUT,
    Attempts,
    RetryPolicy,
    is_retryable,
    read_replies,
)
from reward_server.client.servers import ServerList, request_headers
from reward_server.errors import RewardError, StaleGraph
from reward_server.wire import Response, Score, Weights

READY_TIMEOUT = 3.0  # seconds for each server


class Client(Generic[Request, Reply]):
    """Sends any number of requests in batches. Use as a context manager, or call `close`.

    Threads may share one client. Raises RewardError once it is closed.
    """

    def __init__(
        self, servers: ServerList, endpoint: Endpoint[Request, Reply], policy: RetryPolicy
    ) -> None:
        self.servers = servers
        self._endpoint, self._policy = endpoint, policy
        self._http = httpx.Client(timeout=REQUEST_TIMEOUT, headers=request_headers())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; may be called again."""
        self._http.close()

    def send(
        self, requests: Sequence[Request], endpoint: Endpoint[Request, Reply] | None = None
    ) -> list[Reply]:
        """Replies in order; `endpoint` in place of the client's own. Raises RewardError."""
        if self._http.is_closed:
            raise RewardError(CLOSED)
        endpoint = endpoint or self._endpoint
        replies: list[Reply] = []
        for body in endpoint.bodies(requests):
            replies += self._post(body, endpoint)
        return replies

    def _post(self, body: bytes, endpoint: Endpoint[Request, Reply]) -> list[Reply]:
        attempts = Attempts(self.servers, self._policy)
        while True:
            server = attempts.next_server()
            try:
                answer = self._http.post(f"{server}{endpoint.path}", content=body)
            except httpx.TransportError as error:
                pause = attempts.failed(type(error).__name__)
            else:
                if not is_retryable(answer):
                    return read_replies(answer, endpoint, server)
                pause = attempts.refused(answer)
            time.sleep(pause)


class RewardClient(Client[Response, Score]):
    """Blocking client of `POST /v1/score`.

    url: one server, or several separated by commas.
    digest: the graph that the server must hold, where it is given.
    profile: a named profile or weights. deadline: seconds for one call.
    claims: without them a score has none, at about half the cost.
    """

    def __init__(
        self,
        url: str,
        digest: str | None = None,
        profile: str | Weights = "rerec",
        retries: int = RetryPolicy.retries,
        deadline: float = RetryPolicy.deadline,
        claims: bool = True,
    ) -> None:
        self._digest, self._profile, self._claims = digest, profile, claims
        super().__init__(
            ServerList(url),
            score_endpoint(digest, profile, claims),
            RetryPolicy(retries, deadline),
        )

    def score(
        self,
        responses: Sequence[Response],
        profile: str | Weights | None = None,
        claims: bool | None = None,
    ) -> list[Score]:
        """Scores in order, of any number of responses.

        `profile` and `claims` are used in place of the client's own. Raises UnknownExamples,
        BadResponses, StaleGraph, ServerUnreachable or another RewardError.
        """
        if profile is None and claims is None:
            return self.send(responses)
        claims = self._claims if claims is None else claims
        endpoint = score_endpoint(self._digest, profile or self._profile, claims)
        return self.send(responses, endpoint)

    def ready(self) -> dict[str, Any]:
        """What the first server that answers holds: graph_digest, examples, head_digest.

        Raises ServerUnreachable after a few seconds for each server, StaleGraph for another graph.
        """
        if self._http.is_closed:
            raise RewardError(CLOSED)
        reason = ""
        for server in self.servers.urls:
            facts, reason = self._facts(server)
            if facts is not None:
                break
            self.servers.move_to_end(server)
        else:
            raise self.servers.unreachable(reason)
        if self._digest not in (None, facts["graph_digest"]):
            raise StaleGraph(
                f"the server at {server} holds graph {facts['graph_digest']}, "
                f"this run needs {self._digest}: restart it on the same store"
            )
        return facts

    def _facts(self, server: str) -> tuple[dict[str, Any] | None, str]:
        """(what a server holds, ""), or (None, why it is not known)."""
        try:
            answer = self._http.get(f"{server}/ready", timeout=READY_TIMEOUT)
            facts: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError) as error:
            return None, type(error).__name__
        if "graph_digest" in facts:
            return facts, ""
        return None, f"HTTP {answer.status_code}, not a rerec reward server"
