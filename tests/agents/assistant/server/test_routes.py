"""The typed API and kept conversations, over films that can be checked by hand."""

import re
import sqlite3
from contextlib import closing

from fastapi.testclient import TestClient

from agents.assistant.answer import Answer
from agents.assistant.files import CONVERSATIONS
from agents.assistant.server.app import App
from agents.assistant.server.config import AssistantConfig
from agents.assistant.server.metrics import AskMetrics
from data_engine.http.tokens import issue_token
from data_engine.store.feedback import Feedback

THREAD = "a" * 32
BERG = "a comedy directed by Bo Berg"  # films E to H (i5–i8); odd ones are dramas


def items(answer):
    return {one["item"] for one in answer["recommendations"]}


def test_an_answer_has_a_row_per_condition_and_a_state_to_go_on_with(client):
    first = client.post("/v1/recommend", json={"text": BERG, "k": 2}).json()
    assert items(first) == {"i6", "i8"} and first["matching"] == 2
    assert [row["verdict"] for row in first["recommendations"][0]["rows"]] == ["met", "met"]
    more = {"text": "starring Sue Stone", "state": first["state"]}
    second = client.post("/v1/recommend", json=more).json()
    assert second["matching"] == 1 and "i6" in items(second)
    dialogue = [
        {"role": "user", "content": BERG},
        {"role": "assistant", "content": first["text"]},
    ]
    replayed = client.post(
        "/v1/recommend", json={"text": "starring Sue Stone", "messages": dialogue}
    ).json()
    assert replayed["conditions"] == second["conditions"]
    assert Answer.model_validate(replayed).conditions[0].number == 1


def test_a_conversation_is_kept_changed_judged_and_forgotten(client, small_store):
    place = f"/v1/conversations/{THREAD}"
    assert client.get(place).json() == {"turns": []}
    client.post(place, json={"text": BERG})
    turn = client.post(place, json={"edits": [{"act": "drop", "number": 2}]}).json()
    assert len(turn["answer"]["conditions"]) == 1
    liked = client.post(f"{place}/feedback", json={"item": "i6", "liked": True}).json()
    assert (
        liked["answer"]["state"]["anchors"] == ["i6"] and liked["titles"]["i6"] == "Film F (1986)"
    )
    refused = client.post(f"{place}/feedback", json={"item": "i8", "liked": False}).json()
    assert "i8" not in items(refused["answer"])
    feedback = Feedback(small_store.with_name("hand.duckdb.assistant") / "feedback.sqlite")
    asked = [one for one in feedback.questions() if one.thread == THREAD]
    assert [(c.op, c.value) for c in asked[0].conditions] == [("is", "Comedy"), ("is", "d2")]
    opinions = [(one.item, one.liked) for one in feedback.opinions() if one.thread == THREAD]
    assert opinions == [("i6", True), ("i8", False)] and [one.text for one in asked] == [BERG]
    kept = client.get(place).json()["turns"]
    assert [turn["text"] for turn in kept] == [BERG, "", "", ""] and kept[-1] == refused
    assert client.delete(place).status_code == 204
    said = [*feedback.questions(), *feedback.opinions()]
    assert THREAD not in {one.thread for one in said}
    assert client.get(place).json() == {"turns": []}


def test_conversations_outlast_the_process_and_stay_apart(client, small_store):
    client.post(f"/v1/conversations/{'b' * 16}", json={"text": BERG})
    again = App(AssistantConfig(store=small_store), AskMetrics())
    again.start()
    with TestClient(again) as other:
        (turn,) = other.get(f"/v1/conversations/{'b' * 16}").json()["turns"]
        assert turn["text"] == BERG and items(turn["answer"]) == {"i6", "i8"}
        assert other.get(f"/v1/conversations/{'c' * 16}").json() == {"turns": []}
    folder = small_store.with_name("hand.duckdb.assistant")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_database_that_fails_is_said_and_questions_of_their_own_are_answered(client, small_store):
    place = f"/v1/conversations/{'d' * 16}"
    assert client.post(place, json={"text": BERG}).status_code == 200
    kept = small_store.with_name("hand.duckdb.assistant") / CONVERSATIONS
    with closing(sqlite3.connect(kept)) as database:
        database.execute("ALTER TABLE checkpoints RENAME TO away")
        try:
            for answer in (
                client.post(place, json={"text": "from after 1980"}),
                client.post(f"{place}/stream", json={"text": "from after 1980"}),
                client.get(place),
                client.delete(place),
            ):
                said = answer.json()["error"]
                assert answer.status_code == 503 and "try again later" in said["message"]
                assert str(small_store.parent) not in answer.text and answer.headers["retry-after"]
            assert items(client.post("/v1/recommend", json={"text": BERG}).json()) == {"i6", "i8"}
        finally:
            database.execute("ALTER TABLE away RENAME TO checkpoints")
    assert len(client.get(place).json()["turns"]) == 1


def test_refusals_say_what_is_wrong(client):
    def refused(path, **words):
        answer = client.post(path, **words)
        return answer.status_code, answer.json()["error"]["message"]

    code, said = refused("/v1/recommend", json={"text": "x" * 4001})
    assert code == 400 and said.startswith("text: ") and "4000" in said
    code, said = refused("/v1/recommend", json={"text": "x", "user": "nobody"})
    assert code == 400 and "nobody" in said
    code, said = refused("/v1/recommend", json={"edits": [{"act": "like", "item": "nothing"}]})
    assert code == 400 and "nothing" in said
    code, said = refused("/v1/recommend", json={"edits": [{"act": "like"}]})
    assert code == 400 and said == "'like' needs an item"
    assert refused("/v1/conversations/short", json={"text": "x"})[0] == 400
    assert refused("/v1/recommend", content=b"{")[0] == 415
    assert refused("/v1/recommend", json={"text": "x" * 2**21})[0] == 413
    json = {"content-type": "application/json"}
    assert refused("/v1/recommend", content=b"{", headers=json)[0] == 400
    assert client.get("/nowhere").json()["error"]["type"] == "invalid_request_error"


def test_another_name_for_this_machine_is_refused(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    assert client.get("/", headers={"host": "[::1]:8701"}).status_code == 200


def test_tokens_guard_all_but_the_page(small_store, tmp_path):
    ask = issue_token(tmp_path / "t.json", "ask", ("ask",), None)
    score = issue_token(tmp_path / "t.json", "score", ("score",), None)
    app = App(AssistantConfig(store=small_store, tokens=tmp_path / "t.json"), AskMetrics())
    app.start()
    with TestClient(app) as client:
        assert client.get("/").status_code == client.get("/health").status_code == 200
        for token, code in (("", 401), (score, 401), (ask, 200)):
            headers = {"authorization": f"Bearer {token}"}
            assert client.get("/metrics", headers=headers).status_code == code
            found = client.post("/v1/recommend", json={"text": BERG}, headers=headers)
            assert found.status_code == code
            assert code == 200 or found.json()["error"]["code"] == "invalid_api_key"


def test_metrics_count_requests_and_answers(client):
    client.post("/v1/recommend", json={"text": BERG})
    text = client.get("/metrics").text
    assert 'rerec_ask_requests_total{code="200"}' in text
    assert 'rerec_ask_answers_total{outcome="matching"}' in text


def test_the_page_may_run_only_its_own_script(client):
    page = client.get("/")
    rules = page.headers["content-security-policy"]
    assert "default-src 'none'" in rules and "unsafe" not in rules and rules.count("sha256-") == 2
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|https?://", page.text)
    assert not re.search(r"<[^>]+\s(on\w+|style)=", page.text)
