"""The RecHead: its parts by hand, what it refuses, its command, and an answer over HTTP."""

import json
import math

import httpx
import numpy as np
import pytest
import torch

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.responses.reading import split_answer
from data_engine.store.database import Store
from reward_server.errors import Refused
from reward_server.local import local_server
from reward_server.rechead.files import load_head, save_head
from reward_server.rechead.head import Head, compression
from reward_server.rechead.model import HeadConfig, RecHead
from reward_server.wire import HeadAsk
from tests.test_cli import rerec

CONFIG, WIDTH = HeadConfig(dims=8, length=4, dropout=0.0), 6


def encode(texts):
    """A text's letters as a direction."""
    found = np.array(
        [[sum(ord(c) % WIDTH == k for c in text) + 1e-3 for k in range(WIDTH)] for text in texts],
        np.float32,
    )
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def arrays(film_store):
    with Store.open(film_store, read_only=True) as store:
        return GraphArrays.of(store)


def model(arrays):
    torch.manual_seed(0)
    return RecHead(
        len(arrays.item_ids),
        CONFIG,
        torch.nn.functional.normalize(torch.randn(len(arrays.item_ids), WIDTH), dim=1),
    )


@pytest.fixture(scope="module")
def head(arrays):
    return Head(model(arrays), CONFIG, "d", arrays, encode)


def said(thought, answer):
    return f"{thought}\n<answer>{answer}</answer>"


def test_fault_13_the_thought_is_read_without_its_tags():
    assert split_answer(
        "<think>\nbecause <answer>x</answer>\n</think>\n<answer>a film</answer>"
    ) == ("because <answer>x</answer>", "a film", "ok")
    assert split_answer("because</think>so<answer>a film</answer>") == (
        "because\nso",
        "a film",
        "ok",
    )
    assert split_answer("<think>because <answer>a film</answer>") == (
        "because <answer>a film</answer>",
        "",
        "no_answer",
    )


def test_a_query_is_ranked_as_the_formulas_say(head, arrays):
    """The whole of it again, one query, no batching: history, gates, table, rank, NDCG, cosine."""
    user = arrays.user_ids[0]
    row = arrays.item[arrays.like_start[0] : arrays.like_start[1]]
    before, target = row[:5], int(row[5])
    with torch.no_grad():
        state = head.model(torch.tensor(before[-4:].astype(np.int64) + 1)[None])[:, -1]
        vectors = torch.from_numpy(encode(["a heist film", "they like heists"]))
        scores = (head.model.fuse_texts(state, vectors[None]) @ head.model.table()[1:].T)[0].numpy()
    others = [k for k in range(len(scores)) if k not in before or k == target]
    place = 1 + sum(scores[k] > scores[target] for k in others)
    found = head.score(
        [HeadAsk(query_id=f"{user}:5", response=said("they like heists", "a heist film"))],
        k=len(scores),
    )[0]
    assert (
        found.status == "ok"
        and found.ndcg == pytest.approx(1 / math.log2(place + 1))
        and found.rank == place
    )
    assert found.consistency == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-6)
    best = sorted((k for k in range(len(scores)) if k not in before), key=lambda k: -scores[k])
    assert found.recommended[:3] == [arrays.item_ids[k] for k in best[:3]]
    assert not {arrays.item_ids[int(k)] for k in before if k != target} & set(found.recommended)


def test_a_batch_scores_as_one_by_one(head, arrays):
    asks = [
        HeadAsk(query_id=f"{arrays.user_ids[u]}:{n}", response=said("because " * n, "a film" * u))
        for u in range(4)
        for n in range(1, 6)
    ]
    together, apart = head.score(asks, 10), [head.score([ask], 10)[0] for ask in asks]
    for one, other in zip(together, apart, strict=True):
        assert (
            one.recommended == other.recommended
            and one.ndcg == other.ndcg
            and one.status == other.status
        )


def test_nothing_to_read_earns_nothing_and_nobody_knows_without_a_query(head, arrays):
    query = f"{arrays.user_ids[0]}:3"
    for response, status in (
        ("I think", "no_answer"),
        (said("x", " "), "no_answer"),
        ("<answer>a</answer><answer>b</answer>", "malformed"),
    ):
        found = head.score([HeadAsk(query_id=query, response=response)], 1000)[0]
        assert (found.status, found.ndcg, found.consistency, found.compression) == (
            status,
            0.0,
            None,
            None,
        ) and found.recommended
    alone = head.score([HeadAsk(history=[arrays.item_ids[2]], response=said("why", "what"))], 3)[0]
    assert alone.ndcg is None and alone.consistency is not None and len(alone.recommended) == 3


@pytest.mark.parametrize(
    "ask, code, words",
    [
        (HeadAsk(), 422, "a query_id or a history"),
        (HeadAsk(query_id="a:1", history=["b"]), 422, "a query_id or a history"),
        (HeadAsk(history=[]), 422, "empty history"),
        (HeadAsk(history=["no such"]), 404, "item 'no such' is not in this store"),
        (HeadAsk(query_id="nobody:3"), 404, "query 'nobody:3' is not in this store"),
        (HeadAsk(query_id="{user}:0"), 422, "empty history"),
        (HeadAsk(query_id="{user}:99999"), 404, "nothing comes after"),
        (
            HeadAsk(query_id="{user}:²"),
            404,
            "a query is USER:ITEMS_BEFORE",
        ),  # a digit, and no number
        (HeadAsk(query_id="{user}"), 404, "a query is USER:ITEMS_BEFORE"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(head, arrays, ask, code, words):
    if ask.query_id and not ask.history:
        ask = HeadAsk(query_id=ask.query_id.format(user=arrays.user_ids[0]))
    with pytest.raises(Refused, match=words) as refused:
        head.score([ask], 10)
    assert refused.value.code == code


def test_repeated_words_compress(head):
    assert compression("") == 0.0 and compression("a") == 1.0
    assert (
        compression("the same again " * 20)
        < 0.2
        < compression(
            "They watched Heat and Ronin, and want another heist with De Niro in a city at night."
        )
    )


def test_a_response_is_split_at_its_answer():
    assert split_answer(" because\n<answer> a film </answer> ") == ("because", "a film", "ok")
    assert (
        split_answer("because") == ("because", "", "no_answer")
        and split_answer("a <answer> b")[2] == "malformed"
    )


def test_a_head_is_bound_to_its_graph_and_its_weights(arrays, tmp_path, monkeypatch):
    monkeypatch.setattr("reward_server.rechead.files.sentence_encoder", lambda name: encode)
    digest = save_head(tmp_path / "h", model(arrays), CONFIG, "letters", arrays.digest)
    loaded = load_head(tmp_path / "h", arrays)
    ask = [HeadAsk(query_id=f"{arrays.user_ids[1]}:4", response=said("so", "a film"))]
    assert loaded.digest == digest and loaded.score(ask, 10) == Head(
        model(arrays), CONFIG, digest, arrays, encode
    ).score(ask, 10)
    facts = json.loads((tmp_path / "h/head.json").read_text())
    (tmp_path / "h/head.json").write_text(json.dumps(facts | {"graph_digest": "other"}))
    with pytest.raises(DataError, match="trained on graph other.*train it again"):
        load_head(tmp_path / "h", arrays)
    (tmp_path / "h/head.json").write_text(json.dumps(facts | {"digest": "0"}))
    with pytest.raises(DataError, match="not those that head.json speaks of"):
        load_head(tmp_path / "h", arrays)
    (tmp_path / "h/head.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="holds no RecHead .*rerec train rechead"):
        load_head(tmp_path / "h", arrays)


@pytest.mark.journey
def test_a_head_is_trained_served_and_asked(film_store, tmp_path):
    words = [
        "train",
        "rechead",
        "--store",
        film_store,
        "--run",
        tmp_path / "r",
        "--epochs",
        "1",
        "--lessons",
        "40",
        "--cut",
        "last",
        "--json",
    ]
    made = json.loads(rerec(*words).stdout.splitlines()[-1])
    assert (
        set(made["test"]) == {"their own", "nobody's", "somebody else's"}
        and 0 <= made["test"]["their own"]["H@10"] <= 1
    )
    assert json.loads(rerec(*words).stdout.splitlines()[-1]) == made  # done before
    with Store.open(film_store, read_only=True) as store:
        user = store.rows(
            "SELECT user_id FROM interactions GROUP BY 1 HAVING count(*) > 3 ORDER BY 1"
        )[0][0]
    body = {
        "responses": [
            {"query_id": f"{user}:3", "response": said("Heists.", "a heist film")},
            {"history": ["nope"]},
        ]
    }
    with local_server(film_store, tmp_path / "log", ["--rechead", str(tmp_path / "r/head")]) as url:
        refused = httpx.post(f"{url}/v1/rechead/score", json=body)
        assert refused.status_code == 404 and "nope" in refused.json()["detail"]
        found = httpx.post(
            f"{url}/v1/rechead/score", json={"responses": body["responses"][:1], "k": 5}
        )
        assert (
            found.status_code == 200
            and found.json()["scores"][0]["status"] == "ok"
            and len(found.json()["scores"][0]["recommended"]) == 5
        )
        assert (
            httpx.post(
                f"{url}/v1/rechead/score",
                json={"responses": body["responses"][:1], "head_digest": "old"},
            ).status_code
            == 409
        )
        assert 'rerec_rechead_responses_total{status="ok"} 1.0' in httpx.get(f"{url}/metrics").text
    with local_server(film_store, tmp_path / "log") as url:
        without = httpx.post(f"{url}/v1/rechead/score", json={"responses": body["responses"][:1]})
        assert without.status_code == 404 and "start it with --rechead" in without.json()["detail"]
