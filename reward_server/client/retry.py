"""One retry policy for both clients: what is tried again, where, how often, after how long."""

import random
import time
from dataclasses import dataclass

import httpx
import msgspec

from reward_server.client.endpoints import Endpoint, Reply, Request
from reward_server.client.servers import ServerList
from reward_server.errors import BadResponses, RewardError, StaleGraph, UnknownExamples

# Seconds after the first failure, before jitter; doubled with each further failure.
FIRST_PAUSE = 0.125
LONGEST_PAUSE = 10.0  # seconds, before jitter
REQUEST_TIMEOUT = 30.0  # seconds for one attempt
CLOSED = "this client of the reward server is closed: make another"
_ERRORS: dict[int, type[RewardError]] = {
    404: UnknownExamples,
    409: StaleGraph,
    413: BadResponses,
    422: BadResponses,
}


@dataclass(frozen=True)
class RetryPolicy:
    """At most `retries` further attempts, none begun over `deadline` seconds after the call."""

    retries: int = 4
    deadline: float = 120.0


class Attempts:
    """The attempts of one call: a client asks `next_server`, reports a failure, waits, repeats."""

    def __init__(self, servers: ServerList, policy: RetryPolicy) -> None:
        self._servers, self._policy = servers, policy
        self._end = time.monotonic() + policy.deadline
        self._failures = 0
        self._server = self._reason = ""

    def next_server(self) -> str:
        """The server for the next attempt. Raises ServerUnreachable when the attempts are spent."""
        spent = self._failures > self._policy.retries
        if spent or (self._failures and time.monotonic() > self._end):
            raise self._servers.unreachable(self._reason)
        self._server = self._servers.first
        return self._server

    def failed(self, reason: str, retry_after: str = "") -> float:
        """Leave the server that was asked; returns seconds to wait, 0 after the last attempt."""
        self._servers.move_to_end(self._server)
        self._reason = reason
        self._failures += 1
        if self._failures > self._policy.retries:
            return 0.0
        return _pause(self._failures, retry_after)

    def refused(self, answer: httpx.Response) -> float:
        """As `failed`, for an answer that `is_retryable`."""
        return self.failed(f"HTTP {answer.status_code}", answer.headers.get("retry-after", ""))


def is_retryable(answer: httpx.Response) -> bool:
    """Whether the same request may succeed later: too many requests, or a fault of the server."""
    return answer.status_code == 429 or answer.status_code >= 500


def read_replies(
    answer: httpx.Response, endpoint: Endpoint[Request, Reply], server: str
) -> list[Reply]:
    """The replies of an answer. Raises the RewardError that its status or its body calls for."""
    if answer.status_code != 200:
        kind = _ERRORS.get(answer.status_code, RewardError)
        raise kind(f"{server} refused the request ({answer.status_code}): {_detail(answer)}")
    try:
        return endpoint.decode(answer.content)
    except msgspec.DecodeError as error:
        raise RewardError(
            f"{server} answered with something else than scores ({error}): "
            "is it a rerec reward server of this version?"
        ) from error


def _detail(answer: httpx.Response) -> str:
    if "json" in answer.headers.get("content-type", ""):
        return str(answer.json().get("detail"))
    return answer.text[:200]


def _pause(failures: int, retry_after: str) -> float:
    """Seconds to wait, with jitter: as long as the server asks for, else doubling."""
    seconds = float(retry_after) if retry_after.isdecimal() else FIRST_PAUSE * 2 ** (failures - 1)
    return min(LONGEST_PAUSE, seconds) * (1 + random.random())
