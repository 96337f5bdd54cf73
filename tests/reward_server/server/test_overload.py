"""A server that is flooded, fed slowly or with nonsense."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_server.client import RewardClient
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from tests.reward_server.server.support import (
    wrong_answers,
)

pytestmark = pytest.mark.journey


def test_a_flood_is_told_to_come_back_and_clients_do(store):
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot, 1000)
    with local_server(store, options=["--at-once", "1"]) as url, ThreadPoolExecutor(8) as pool:
        body = json.dumps(
            {"responses": [{"example_id": r.example_id, "response": r.response} for r in responses]}
        )
        answers = list(
            pool.map(lambda _: httpx.post(f"{url}/v1/score", content=body, timeout=60), range(16))
        )
        codes = {a.status_code for a in answers}
        assert codes == {200, 429} and all(
            a.headers["retry-after"] == "1" for a in answers if a.status_code == 429
        )

        def patient(_):
            with RewardClient(url, retries=50) as client:
                return client.score(responses)

        expected = snapshot.score(responses, PROFILES["rerec"])
        assert all(found == expected for found in pool.map(patient, range(4)))


def test_bodies_that_never_come_hold_nobody_up(store):
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot)
    with local_server(
        store, options=["--seconds", "2", "--at-once", "4"]
    ) as url:  # a body that never comes takes no place
        host, port = url.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(30)]
        for connection in slow:
            connection.sendall(
                b"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"
            )
        with RewardClient(url, retries=0) as client:
            assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])
        assert all(b"408" in connection.recv(200) for connection in slow)


def test_look_ups_that_take_too_long_are_given_up(store):
    graph = Snapshot.load(store).graph
    among = [title for _, title in graph.titles()][:1000]
    look = {"tool": "holders", "relation": graph.relations[0], "value": "x", "among": among}
    with local_server(store, options=["--seconds", "1"]) as url:
        found = httpx.post(f"{url}/v1/look", json={"calls": [look] * 1024}, timeout=60)
        assert found.status_code == 503 and found.headers["retry-after"] == "1"
        assert httpx.post(f"{url}/v1/look", json={"calls": [look]}).status_code == 200


def test_no_body_makes_the_server_fail(store):
    """Mutations of a good body: every answer is a score or a refusal with a reason, never a 5xx;
    and the server still scores afterwards."""
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot, 3)
    good = json.dumps(
        {"responses": [{"example_id": r.example_id, "response": r.response} for r in responses]}
    ).encode()
    strange = [
        b"NaN",
        b"1e999",
        b"-0",
        b'"\\ud800"',
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
        b"null",
        b"9" * 400,
        b'"' + b"x" * 40_000 + b'"',
    ]

    with local_server(store) as url, httpx.Client() as client:

        @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            st.integers(0, len(good)),
            st.integers(0, 40),
            st.one_of(st.binary(max_size=20), st.sampled_from(strange)),
        )
        def mutate(place, cut, inserted):
            answer = client.post(
                f"{url}/v1/score", content=good[:place] + inserted + good[place + cut :]
            )
            assert answer.status_code in (200, 404, 409, 422), (answer.status_code, answer.text)
            assert answer.status_code == 200 or answer.json()["detail"]

        mutate()
        with RewardClient(url) as scorer:
            assert scorer.score(responses) == snapshot.score(responses, PROFILES["rerec"])
