"""Which server an attempt asks, when a call gives up, and clients that are closed."""

import asyncio

import httpx
import pytest

from reward_server.client import AsyncRewardClient, RewardClient
from reward_server.client.retry import LONGEST_PAUSE, Attempts, RetryPolicy, is_retryable
from reward_server.client.servers import ServerList
from reward_server.errors import RewardError, ServerUnreachable
from reward_server.wire import Response

NOBODY = "http://127.0.0.1:9"


def test_fault_17_the_server_that_failed_is_left_and_no_other():
    """Two calls of one client fail at the same server: the second finds it left already, and must
    not leave the good one."""
    servers = ServerList("http://bad, http://good/,http://good")
    one, other = Attempts(servers, RetryPolicy()), Attempts(servers, RetryPolicy())
    assert (one.next_server(), other.next_server()) == ("http://bad", "http://bad")
    one.failed("timeout")
    other.failed("timeout")
    assert (one.next_server(), other.next_server()) == ("http://good", "http://good")
    assert servers.urls == ("http://good", "http://bad")


def test_a_late_failure_leaves_the_server_it_asked_not_the_first():
    servers = ServerList("http://a,http://b,http://c")
    early, late = Attempts(servers, RetryPolicy()), Attempts(servers, RetryPolicy())
    late.next_server()
    for server in ("http://a", "http://b"):
        assert early.next_server() == server
        early.failed("HTTP 503")
    assert servers.urls == ("http://c", "http://a", "http://b")
    late.failed("ReadTimeout")
    assert servers.urls == ("http://c", "http://b", "http://a")


def test_a_call_gives_up_after_its_retries_and_names_servers_and_reason():
    attempts = Attempts(ServerList("http://b,http://a"), RetryPolicy(retries=2))
    pauses = []
    for _ in range(3):
        attempts.next_server()
        pauses.append(attempts.failed("HTTP 503"))
    with pytest.raises(ServerUnreachable, match=r"http://a and http://b .*\(HTTP 503\)"):
        attempts.next_server()
    assert 0.125 <= pauses[0] <= 0.25 <= pauses[1] <= 0.5
    assert pauses[2] == 0  # nothing to wait for


def test_no_attempt_begins_after_the_deadline_but_the_first():
    attempts = Attempts(ServerList("http://a"), RetryPolicy(deadline=-1.0))
    attempts.next_server()
    attempts.failed("ConnectError")
    with pytest.raises(ServerUnreachable, match="ConnectError"):
        attempts.next_server()


@pytest.mark.parametrize(("asked", "low", "high"), [("3", 3, 6), ("9999", 10, 20), ("²", 0, 1)])
def test_the_server_says_how_long_to_wait_within_limits(asked, low, high):
    attempts = Attempts(ServerList("http://a"), RetryPolicy())
    attempts.next_server()
    assert low <= attempts.failed("HTTP 429", asked) <= high <= 2 * LONGEST_PAUSE


@pytest.mark.parametrize(
    ("status", "retried"), [(200, False), (404, False), (429, True), (500, True), (503, True)]
)
def test_what_may_succeed_later_is_tried_again(status, retried):
    assert is_retryable(httpx.Response(status)) is retried


@pytest.mark.parametrize("urls", ["", " , "])
def test_a_client_needs_a_server(urls):
    with pytest.raises(RewardError, match="no reward server given"):
        RewardClient(urls)


def test_a_closed_client_says_so():
    with RewardClient(NOBODY) as client:
        pass
    client.close()  # again
    for call in (client.ready, lambda: client.score([Response("e", "x")])):
        with pytest.raises(RewardError, match="closed"):
            call()

    async def closed():
        async with AsyncRewardClient(NOBODY) as other:
            pass
        await other.aclose()  # again
        await other.score(Response("e", "x"))

    with pytest.raises(RewardError, match="closed"):
        asyncio.run(closed())
