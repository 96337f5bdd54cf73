"""A policy's reasoning over HTTP: typed, streamed to the page, and apart in the chat API."""

import json
from functools import partial

import pytest
from fastapi.testclient import TestClient

from agents.assistant.server.app import App
from agents.assistant.server.config import AssistantConfig
from agents.assistant.server.metrics import AskMetrics
from data_engine.http.guard import LOOPBACK
from rerec.policy import PolicyConfig
from tests.agents.assistant.policies import LIAR, policy_endpoint

pytestmark = pytest.mark.unit
ASK = "a comedy directed by Bo Berg"
TOLD = LIAR.replace("\x1b", "")
PLACE = f"/v1/conversations/{'r' * 32}"


@pytest.fixture(scope="module")
def reasoning(small_store):
    """A client of an application whose policy lies."""
    with policy_endpoint() as endpoint:
        policy = PolicyConfig(policy=endpoint.url, model="liar").checked()
        config = AssistantConfig(store=small_store, names=LOOPBACK)
        app = App(config, AskMetrics(), partial(policy.open, small_store))
        app.start()
        with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
            yield client


def test_the_reasoning_is_part_of_the_answer_and_changes_no_other(reasoning, client):
    answer = reasoning.post("/v1/recommend", json={"text": ASK}).json()
    alone = client.post("/v1/recommend", json={"text": ASK}).json()
    found = answer.pop("reasoning")
    assert found["text"] == TOLD and found["problem"] == "it answers with no candidate"
    assert {"good", "bad", "unknown"} >= {claim["verdict"] for claim in found["claims"]}
    assert [title["verdict"] for title in found["titles"]] == ["invented"] * 6
    assert answer.pop("text").startswith(alone.pop("text"))
    assert alone.pop("reasoning") is None and answer == alone
    assert 'rerec_ask_reasonings_total{outcome="missing"}' in reasoning.get("/metrics").text


def test_a_stream_gives_thoughts_then_the_turn_that_is_kept(reasoning):
    with reasoning.stream("POST", f"{PLACE}/stream", json={"text": ASK}) as got:
        assert got.headers["content-type"] == "application/x-ndjson"
        *thoughts, last = [json.loads(line) for line in got.iter_lines()]
    assert "".join(event["thought"]["text"] for event in thoughts) == TOLD
    assert any("marks" in event["thought"] for event in thoughts)
    (kept,) = reasoning.get(PLACE).json()["turns"]
    assert kept["answer"]["reasoning"]["text"] == last["turn"]["answer"]["reasoning"]["text"]
    refused = reasoning.post(f"{PLACE}/stream", json={"text": ASK, "user": "nobody"})
    assert refused.status_code == 400 and "no user 'nobody'" in refused.json()["error"]["message"]


def test_the_chat_api_keeps_reasoning_and_answer_apart(reasoning, client):
    messages = [{"role": "user", "content": ASK}]
    whole = reasoning.post("/v1/chat/completions", json={"messages": messages}).json()
    message = whole["choices"][0]["message"]
    assert message["reasoning_content"] == TOLD
    body = {"messages": messages, "stream": True}
    with reasoning.stream("POST", "/v1/chat/completions", json=body) as got:
        lines = [line.removeprefix("data: ") for line in got.iter_lines() if line]
    deltas = [json.loads(line)["choices"][0]["delta"] for line in lines[:-1]]
    thoughts = [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta]
    assert len(thoughts) > 5 and "".join(thoughts) == TOLD
    assert "".join(delta.get("content", "") for delta in deltas) == message["content"]
    messages += [message, {"role": "user", "content": "why the first one?"}]
    why = [
        one.post("/v1/chat/completions", json={"messages": messages}).json()["choices"][0]
        for one in (reasoning, client)
    ]
    assert why[0]["message"] == why[1]["message"]
