"""Servers that are stopped or killed under load: no wrong score, no lost request."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from reward_server.client import RewardClient
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from tests.reward_server.server.support import process_at, wrong_answers

pytestmark = pytest.mark.journey


def test_sigterm_under_load_loses_nothing_where_another_server_is_left(store):
    """What was accepted is answered; what was not goes to the next server; no score is wrong."""
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot, 1000)
    expected = snapshot.score(responses, PROFILES["rerec"])
    with local_server(store) as one, local_server(store) as other, ThreadPoolExecutor(8) as pool:
        server = process_at(one)

        def load(_):
            with RewardClient(f"{one},{other}") as client:
                return [client.score(responses) for _ in range(3)]

        futures = [pool.submit(load, n) for n in range(8)]
        while 'rerec_score_requests_total{code="200"}' not in httpx.get(f"{one}/metrics").text:
            pass
        server.terminate()
        assert server.wait(60) is not None
        assert all(batch == expected for future in futures for batch in future.result())


def test_a_killed_worker_costs_no_request(store):
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot)
    expected = snapshot.score(responses, PROFILES["rerec"])
    with local_server(store, options=["--workers", "2"]) as url:
        server = process_at(url)
        with RewardClient(url) as client:
            for round_ in range(30):
                if round_ in (5, 15):
                    next(p for p in server.children() if p.status() != psutil.STATUS_ZOMBIE).kill()
                assert client.score(responses) == expected


def test_a_server_gone_is_replaced_by_the_next_in_the_list(store):
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot)
    expected = snapshot.score(responses, PROFILES["rerec"])
    with (
        local_server(store) as one,
        local_server(store) as other,
        RewardClient(f"{one}, {other}") as client,
    ):
        assert client.score(responses) == expected
        process_at(one).kill()
        for _ in range(3):
            assert client.score(responses) == expected


def test_workers_end_with_a_parent_that_is_killed(store):
    with local_server(store, options=["--workers", "2"]) as url:
        address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        process_at(url).kill()
        deadline = time.monotonic() + 60
        with pytest.raises(ConnectionError):
            while time.monotonic() < deadline:
                socket.create_connection(address, 5).close()
