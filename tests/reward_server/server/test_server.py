"""The server as a process on loopback: what it answers and refuses, and its clients without it."""

import asyncio
import http.client
import json
import re

import httpx
import pytest

from data_engine.store.database import Store
from reward_server.client import AsyncRewardClient, RewardClient
from reward_server.errors import (
    BadResponses,
    RewardError,
    ServerUnreachable,
    StaleGraph,
    UnknownExamples,
)
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response

pytestmark = pytest.mark.journey  # a server of its own


@pytest.fixture(scope="module")
def server(film_store):
    with local_server(film_store) as url:
        yield url


@pytest.fixture(scope="module")
def examples(film_store):
    with Store.open(film_store, read_only=True) as store:
        return store.examples()


def answer(example, item, titles):
    return Response(
        example_id=example.example_id, response=f"I think so.\n<answer>{titles[item]}</answer>"
    )


def test_http_gives_the_scorers_own_figures(server, film_store, examples):
    snapshot = Snapshot.load(film_store)
    responses = [
        answer(e, item, dict(snapshot.graph.titles()))
        for e in examples[:30]
        for item in e.candidates
    ]
    with RewardClient(server, snapshot.digest) as client:
        assert client.ready() == {
            "status": "ready",
            "graph_digest": snapshot.digest,
            "examples": 160,
            "head_digest": None,
        }
        assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])


def test_gold_scores_best_of_the_candidates(server, film_store, examples):
    titles = dict(Snapshot.load(film_store).graph.titles())
    with RewardClient(server) as client:
        for e in examples[:20]:
            scores = {
                item: s.score
                for item, s in zip(
                    e.candidates,
                    client.score([answer(e, i, titles) for i in e.candidates]),
                    strict=True,
                )
            }
            assert max(scores, key=scores.get) == e.gold[0]


def test_more_than_a_batch_is_sent_in_parts(server, examples):
    with RewardClient(server) as client:
        assert (
            len(client.score([Response(example_id=examples[0].example_id, response="x")] * 1500))
            == 1500
        )


def post(server, body, **headers):
    return httpx.post(
        f"{server}/v1/score", content=body, headers={"content-type": "application/json"} | headers
    )


def declared_only(server, length):
    """Announce a body and send none: the refusal must come before it is read."""
    connection = http.client.HTTPConnection(server.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/v1/score")
    connection.putheader("content-length", str(length))
    connection.endheaders()
    return connection.getresponse().status


def test_refusals_say_why_and_are_told_apart(server, examples):
    one = {"example_id": examples[0].example_id, "response": "x"}
    assert (
        post(server, json.dumps({"graph_digest": "other", "responses": [one]})).status_code == 409
    )
    assert (
        post(
            server, json.dumps({"responses": [one, {"example_id": "nope", "response": "x"}]})
        ).status_code
        == 404
    )
    got = httpx.get(f"{server}/v1/score")
    assert (
        got.status_code == 405
        and got.headers["allow"] == "POST"
        and httpx.request("TRACE", f"{server}/v1/rechead/score").status_code == 405
    )
    for bad in (
        {"responses": []},
        {"responses": [one] * 1025},
        {"responses": [one], "extra": 1},
        {"responses": [{"example_id": "a"}]},
        {"responses": [one], "profile": "magic"},
    ):
        refused = post(server, json.dumps(bad))
        assert refused.status_code == 422 and "detail" in refused.json()
    assert post(server, "{not json").status_code == 422
    assert (
        post(server, json.dumps({"responses": [one | {"response": "x" * 32_769}]})).status_code
        == 422
    )
    assert httpx.post(f"{server}/v1/score", content=iter([b"{}"])).status_code == 411
    assert declared_only(server, 2**40) == 413


def test_clients_raise_named_errors_and_never_invent_a_score(server, examples):
    with RewardClient(server, "other") as stale:
        with pytest.raises(StaleGraph, match="other"):
            stale.ready()
        with pytest.raises(StaleGraph, match="restart"):
            stale.score([Response(example_id=examples[0].example_id, response="x")])
    with RewardClient(server) as client, pytest.raises(UnknownExamples, match="nope"):
        client.score([Response(example_id="nope", response="x")])
    with RewardClient("http://127.0.0.1:9", retries=1) as absent:
        with pytest.raises(ServerUnreachable, match="http://127.0.0.1:9"):
            absent.ready()
        with pytest.raises(ServerUnreachable, match="rerec serve"):
            absent.score([Response(example_id="x", response="x")])


def test_fault_17_claims_are_sent_to_who_asks_for_them(server, examples):
    named = next(e for e in examples if e.chains)
    told = Response(named.example_id, "\n".join(s.text for s in named.chains[0].steps))

    def claims(score):
        return [claim for segment in score.segments for claim in segment.claims]

    async def one(**options):
        async with AsyncRewardClient(server, **options) as client:
            return await client.score(told)

    with RewardClient(server) as asking, RewardClient(server, claims=False) as bare:
        assert (
            claims(asking.score([told])[0])
            and claims(bare.score([told], claims=True)[0])
            and claims(asyncio.run(one()))
        )
        assert not claims(asking.score([told], claims=False)[0]) and not claims(
            bare.score([told])[0]
        )
        assert not claims(asyncio.run(one(claims=False)))


def test_fault_17_a_client_finds_the_server_that_is_there(server):
    with RewardClient(f"http://127.0.0.1:9,{server}") as client:
        assert client.ready()["examples"] == 160 and client.servers.first == server


def test_metrics_and_docs_are_there(server):
    assert httpx.get(f"{server}/health").json() == {"status": "ok"}
    text = httpx.get(f"{server}/metrics").text
    assert (
        'rerec_scored_responses_total{status="ok"}' in text
        and 'rerec_score_requests_total{code="200"}' in text
    )
    assert (
        'rerec_part_sum{part="qas"}' in text
        and 'rerec_stage_seconds_count{stage="score"}' in text
        and 'rerec_segments_total{verdict="ok"}' in text
    )
    schema = httpx.get(f"{server}/openapi.json").json()
    assert set(schema["components"]["schemas"]["Score"]["required"]) == {
        "example_id",
        "status",
        "score",
        "ndcg",
        "qas",
        "pas",
        "recommended",
        "duplicates",
        "unresolved",
        "segments",
    }


def test_a_server_that_cannot_start_says_why(tmp_path):
    with (
        pytest.raises(RewardError, match="no store at"),
        local_server(tmp_path / "none.duckdb", tmp_path / "log"),
    ):
        pass


def requests_served(server):
    """How many score requests the server answered with 200, by its own count."""
    found = re.search(
        r'rerec_score_requests_total\{code="200"\} (\S+)', httpx.get(f"{server}/metrics").text
    )
    return float(found[1]) if found else 0.0


def test_async_calls_travel_together_and_only_the_guilty_fail(server, film_store, examples):
    snapshot = Snapshot.load(film_store)
    asked = [answer(e, e.candidates[0], dict(snapshot.graph.titles())) for e in examples[:40]]

    async def score(responses):
        async with AsyncRewardClient(server, snapshot.digest) as client:
            return await asyncio.gather(*map(client.score, responses), return_exceptions=True)

    before, expected = requests_served(server), snapshot.score(asked, PROFILES["rerec"])
    assert asyncio.run(score(asked)) == expected and requests_served(server) == before + 1
    for bad, error in (
        (Response("nope", "x"), UnknownExamples),
        (Response(asked[0].example_id, "x" * 40_000), BadResponses),
    ):
        found = asyncio.run(score([*asked[:7], bad, *asked[7:]]))
        assert isinstance(found.pop(7), error) and found == expected
