"""What other trainers send and get, over plain HTTP: the same scores, and a refusal, never a 0."""

import asyncio
import statistics
from importlib.util import find_spec

import httpx
import pytest

from data_engine.errors import DataError
from data_engine.http.tokens import issue_token
from reward_server.scoring import PROFILES
from reward_server.server.app import ENDPOINTS, make_app
from reward_server.server.config import ServeConfig
from reward_server.server.mcp_tools import answer
from reward_server.wire import Response

TITLE = "Film A (1981)"  # i1, the gold of the only Example
WRONG = "Film B (1982)"
GOOD, BAD = (f"I think so.\n<answer>{title}</answer>" for title in (TITLE, WRONG))


@pytest.fixture(scope="module")
def app(asked_store):
    return make_app(ServeConfig(store=asked_store, most_bytes=1 << 20))


@pytest.fixture(scope="module")
def row(snapshot):
    (example_id,) = snapshot.targets
    return {"example_id": example_id, "graph_digest": snapshot.digest}


def send(app, path, json=None, method="POST", **options):
    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, json=json, **options)

    return asyncio.run(ask())


def expected(snapshot, text, profile="rerec"):
    (example_id,) = snapshot.targets
    return snapshot.score([Response(example_id, text)], PROFILES[profile])[0]


def responses_api(*texts, **fields):
    """A response in the shape of the Responses API, with a thought before and a call between."""
    messages = [
        {
            "type": "message",
            "id": f"m{k}",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }
        for k, text in enumerate(texts)
    ]
    thought = {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]}
    return {"id": "x", "object": "response", "output": [thought, *messages], **fields}


@pytest.mark.parametrize("text", [GOOD, BAD, "no answer", ""])
@pytest.mark.parametrize("profile", PROFILES)
def test_slime_gets_the_number_that_v1_score_gives(app, snapshot, row, text, profile):
    label = f"{row['example_id']}@{row['graph_digest']}"
    found = send(
        app,
        f"/compat/slime?profile={profile}",
        {"prompt": "?", "response": text, "label": label, "more": [1]},
    )
    assert found.json() == expected(snapshot, text, profile).score


def test_openrlhf_gets_lists_in_order_and_logs_without_nulls(app, snapshot, row):
    prompts = ["<|user|>Drama?<|assistant|>", "<|user|>Another?"]
    query = [prompts[0] + GOOD + "<|end|>", f"<s>{prompts[1]}{BAD}"]
    label = f"{row['example_id']}@{row['graph_digest']}"
    found = send(
        app,
        "/compat/openrlhf",
        {"query": query, "prompts": prompts, "labels": [label, row["example_id"]]},
    ).json()
    scores = [expected(snapshot, text) for text in (GOOD, BAD)]
    assert found["rewards"] == found["scores"] == [score.score for score in scores]
    assert scores[0].pas is None  # the store has no embeddings: null is not logged as a number
    assert found["extra_logs"] == {
        "ndcg": [score.ndcg for score in scores],
        "qas": [score.qas for score in scores],
    }


def test_nemo_gym_gets_its_row_back_with_the_reward(app, snapshot, row):
    sent = {
        **row,
        "responses_create_params": {"input": [{"role": "user", "content": "Drama?"}]},
        "_ng_task_index": 3,
        "response": responses_api("Let me see.", GOOD, usage={"input_tokens": 7}),
    }
    assert send(app, "/seed_session", sent).json() == {}
    found = send(app, "/verify", sent).json()
    score = expected(snapshot, GOOD)
    assert {key: found.pop(key) for key in ("reward", "answer_status", "ndcg", "qas")} == {
        "reward": score.score,
        "answer_status": "ok",
        "ndcg": 1.0,
        "qas": 1.0,
    }
    assert found == sent  # `pas`, which is null, is not among it
    again = send(app, "/verify", {**sent, "pas": 4.0, "reward": 9.0}).json()
    assert "pas" not in again and again["reward"] == score.score  # nothing of an earlier score


def test_nemo_gym_gets_means_over_rollouts(app):
    rewards = {0: [1.5, 0.0, 0.25], 4: [1.0, 0.5]}
    rollouts = [
        {
            "_ng_task_index": task,
            "_ng_rollout_index": k,
            "reward": reward,
            "note": "x",
            "right": reward > 1,
            "response": {"usage": {"output_tokens": 2}},
        }
        for task, some in rewards.items()
        for k, reward in enumerate(some)
    ]
    del rollouts[0]["right"]
    found = send(app, "/aggregate_metrics", {"verify_responses": rollouts}).json()
    every = [*rewards[0], *rewards[4]]
    overall = found["agent_metrics"]
    assert overall["mean/reward"] == pytest.approx(statistics.mean(every))
    assert overall["std/reward"] == pytest.approx(statistics.stdev(every))
    assert (overall["max/reward"], overall["min/reward"], overall["median/reward"]) == (1.5, 0, 0.5)
    assert overall["mean/right"] == 0 and overall["mean/output_tokens"] == 2
    assert found["key_metrics"] == {k: v for k, v in overall.items() if k.startswith("mean/")}
    assert [group["_ng_task_index"] for group in found["group_level_metrics"]] == [0, 4]
    assert found["group_level_metrics"][1]["mean/reward"] == 0.75
    assert send(app, "/aggregate_metrics", {"verify_responses": []}).json() == {
        "group_level_metrics": [],
        "agent_metrics": {},
        "key_metrics": {},
    }


UNSCORED = {
    "another graph": (409, {"graph_digest": "other"}, "@other"),
    "an unknown example": (404, {"example_id": "nope"}, None),
}


@pytest.mark.parametrize("why", UNSCORED)
def test_what_cannot_be_scored_is_refused(app, row, why):
    code, change, suffix = UNSCORED[why]
    bad = row | change
    label = bad["example_id"] + (suffix or f"@{bad['graph_digest']}")
    for path, body in (
        ("/compat/slime", {"prompt": "", "response": GOOD, "label": label}),
        ("/compat/openrlhf", {"query": ["p" + GOOD], "prompts": ["p"], "labels": [label]}),
        ("/seed_session", bad),
        ("/verify", bad | {"response": responses_api(GOOD)}),
    ):
        refused = send(app, path, body)
        assert refused.status_code == code and refused.json().keys() == {"detail"}, path


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/compat/slime", {"response": "x"}, "label"),
        ("/compat/slime", {"response": "x" * 40_000, "label": "a"}, "length"),
        ("/compat/slime?profile=magic", {"response": "x", "label": "a"}, "no profile 'magic'"),
        ("/compat/slime?profil=ndcg", {"response": "x", "label": "a"}, "no option 'profil'"),
        ("/compat/openrlhf", {"query": ["x"], "prompts": ["y"], "labels": ["a"]}, "begin"),
        ("/compat/openrlhf", {"query": ["x"], "prompts": ["x"], "labels": []}, "length >= 1"),
        (
            "/compat/openrlhf",
            {"query": ["x", "x"], "prompts": ["x"], "labels": ["a"]},
            "not equally long",
        ),
        ("/compat/openrlhf", {"query": ["p" * 40_000], "prompts": ["p"], "labels": ["a"]}, "39999"),
        ("/verify", {"example_id": "a"}, "response"),
        (
            "/verify",
            {"example_id": "a", "response": responses_api(error={"code": "server_error"})},
            "error of the model",
        ),
        (
            "/verify",
            {"example_id": "a", "response": responses_api(GOOD, status="cancelled")},
            "error of the model",
        ),
        (
            "/verify",
            {
                "example_id": "a",
                "response": responses_api(
                    status="incomplete", incomplete_details={"reason": "content_filter"}
                ),
            },
            "error of the model",
        ),
        ("/verify", {"example_id": "a", "response": responses_api("x" * 40_000)}, "40000"),
        ("/verify?profile=ndcg", {"example_id": "a"}, "no option 'profile'"),
        ("/v1/score?graph_digest=x", {"responses": []}, "no option 'graph_digest'"),
        ("/aggregate_metrics", {"verify_responses": [{"_ng_task_index": "x"}]}, "number"),
        ("/aggregate_metrics", {"verify_responses": [{"_ng_task_index": 1.5}]}, "whole number"),
        ("/aggregate_metrics", {"verify_responses": [{"reward": 1e308}] * 2}, "too large"),
        ("/compat/openrlhf", {"query": ["x"], "prompts": [""], "labels": ["a"]}, "is empty"),
        ("/aggregate_metrics", {"verify_responses": [1]}, "object"),
        ("/lookup", {"item": TITLE}, "relation"),
    ],
)
def test_bad_requests_say_why(app, path, body, said):
    refused = send(app, path, body)
    assert refused.status_code == 422 and said in refused.json()["detail"]


def test_several_graphs_in_one_batch_are_refused(app, row):
    labels = [f"{row['example_id']}@{row['graph_digest']}", f"{row['example_id']}@other"]
    body = {"query": ["px", "px"], "prompts": ["p", "p"], "labels": labels}
    assert send(app, "/compat/openrlhf", body).status_code == 409
    stale = send(
        app, "/compat/slime?graph_digest=other", {"response": GOOD, "label": row["example_id"]}
    )
    assert stale.status_code == 409


def test_every_route_asks_for_a_token_and_limits_the_body(asked_store, tmp_path):
    secret = issue_token(tmp_path / "tokens.json", "trainer", ("score",), 1)
    config = ServeConfig(store=asked_store, tokens=tmp_path / "tokens.json", most_bytes=1024)
    guarded, bearer = make_app(config), {"authorization": f"Bearer {secret}"}
    for path in ENDPOINTS:
        assert send(guarded, path, {}).status_code == 401, path
        assert send(guarded, path, {"x": "y" * 2000}, headers=bearer).status_code == 413, path
        assert send(guarded, path, {}, headers=bearer).status_code == 422, path
    assert send(guarded, "/v1/tools", method="GET").status_code == 401
    assert send(guarded, "/v1/tools", method="GET", headers=bearer).status_code == 200


def test_gold_is_in_no_answer(app, row):
    """A response that names a wrong title: what comes back names no other."""
    sent = {**row, "response": responses_api(BAD)}
    for path in ("/seed_session", "/verify"):
        assert TITLE not in send(app, path, sent).text


@pytest.mark.parametrize("shape", ["chat", "responses"])
def test_the_tools_that_are_described_can_be_called(app, shape):
    tools = send(app, f"/v1/tools?shape={shape}", method="GET").json()
    functions = {(tool["function"] if shape == "chat" else tool)["name"]: tool for tool in tools}
    assert functions.keys() == {"lookup", "holders"}
    for tool in tools:
        parameters = (tool["function"] if shape == "chat" else tool)["parameters"]
        assert set(parameters["required"]) == parameters["properties"].keys()
        assert parameters["properties"]["relation"]["enum"] == [
            "composer",
            "director",
            "genre",
            "starring",
        ]
    found = send(app, "/lookup", {"item": "Film E (1985)", "relation": "starring"}).json()
    assert found == {"found": ["Sue Stone", "Tim Tate"], "problem": ""}
    asked = {"relation": "director", "value": "Bo Berg", "among": ["Film A", "Film E (1985)"]}
    assert send(app, "/holders", asked).json() == {"found": ["Film E (1985)"], "problem": ""}
    asked["among"].append("Film Z")
    assert send(app, "/holders", asked).json() == {
        "found": [],
        "problem": "'Film Z' is no item here",
    }


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("drop", {}, "no tool 'drop': choose from lookup, holders"),
        ("lookup", {"item": TITLE}, "Object missing required field `relation`"),
        ("lookup", {"item": TITLE, "relation": 1}, "Expected `str`, got `int` - at `$.relation`"),
        ("lookup", {"item": "Film Z", "relation": "genre"}, "'Film Z' is no item here"),
    ],
)
def test_a_model_that_calls_a_tool_wrongly_is_told_why(app, name, arguments, said):
    assert answer(app.state, name, arguments) == (said, True)


def test_a_model_that_calls_a_tool_gets_names_one_a_line(app):
    called = answer(app.state, "lookup", {"item": "Film E (1985)", "relation": "starring"})
    assert called == ("Sue Stone\nTim Tate", False)


@pytest.mark.skipif(find_spec("mcp") is not None, reason="the SDK is installed")
def test_an_mcp_server_without_the_sdk_says_what_to_install(asked_store):
    with pytest.raises(DataError, match=r"--mcp needs the package mcp: pip install 'rerec\[mcp\]'"):
        make_app(ServeConfig(store=asked_store, mcp=True))
