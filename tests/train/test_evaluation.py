"""Summaries by hand, and what a row says of a response."""

import pytest
from transformers import LlamaConfig

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.test_cli import rerec
from train.evaluation.baselines import baseline
from train.evaluation.config import EvalConfig
from train.evaluation.evaluate import evaluate
from train.evaluation.generate import rows_per_batch
from train.evaluation.rows import row
from train.evaluation.summary import DEEPER, interval, summarise
from train.reports.journey_report import coloured, pick
from train.sft.tiny import TinyConfig, build_model, save
from train.sft.tokenizer import build_tokenizer
from train.tasks.prompts import open_book, response


@pytest.fixture(scope="module")
def rows_of(film_store):
    """(Example, flaw) → evaluated row of that chain, scored by the real scorer."""
    evidence, snapshot = Evidence.load(film_store), Snapshot.load(film_store)
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("test")

    def make(example, chain):
        text = response(chain, evidence)
        score = snapshot.score(
            [Response(example_id=example.example_id, response=text)], PROFILES["rerec"]
        )[0]
        return row(example, text, score, evidence)

    return examples, make, evidence


def test_a_gold_chain_is_right_in_every_respect(rows_of):
    examples, make, _ = rows_of
    for e in examples:
        found = make(e, e.chains[0])
        assert (found["ndcg"], found["status"], found["satisfied"]) == (1.0, "ok", 1.0)
        assert found["premise_corrected"] == (True if e.kind == "misinformed" else None)
        assert {s["verdict"] for s in found["segments"]} <= {"ok", "unknown"}
        assert (found["steps_right"], found["invented"], found["conditions"]) == (
            1.0,
            0,
            len(e.conditions),
        )
        claims = [c for segment in found["segments"] for c in segment["claims"]]
        assert found["claims_bad"] == 0 and found["claims_good"] > 0
        assert found["claims_good"] + found["claims_unknown"] == len(claims)


def test_a_flawed_chain_is_wrong_and_loses_on_the_wrong_item(rows_of):
    examples, make, _ = rows_of
    for e in examples:
        found = make(e, e.chains[1])
        assert found["ndcg"] == 0 and found["satisfied"] < 1 and found["claims_bad"] > 0
        last = found["segments"][-1]
        assert last["verdict"] == "wrong_item" and last["reward"] == pytest.approx(
            found["score"] - 0.5 * abs(found["score"])
        )
        if e.chains[1].flaw == "premise_trusted":
            assert found["premise_corrected"] is False


def test_a_summary_by_hand():
    rows = [
        {
            "kind": k,
            "gold_position": p,
            "ndcg": n,
            "status": s,
            "satisfied": 1.0,
            "premise_corrected": c,
        }
        | {"conditions": w, "candidates": 6, "steps_right": right, "invented": 0, "words": 10 * w}
        for k, p, n, s, c, w, right in [
            ("explicit", 0, 1.0, "ok", None, 2, 1.0),
            ("explicit", 1, 0.0, "no_answer", None, 2, None),
            ("misinformed", 0, 1.0, "ok", True, 1, 0.5),
            ("misinformed", 1, 1.0, "ok", False, 1, 0.75),
        ]
    ]
    rows = [row | {"example_id": str(n)} for n, row in enumerate(rows)]
    found = summarise(rows)
    assert (
        found["ndcg"]["mean"] == 0.75
        and found["by_kind"]["explicit"]["mean"] == 0.5
        and found["by_kind"]["misinformed"]["n"] == 2
    )
    assert found["by_gold_position"] == {"0": 1.0, "1": 0.5} and 0.5 < found["position_bias_p"] <= 1
    assert found["by_conditions"]["2"]["mean"] == 0.5 and found["by_candidates"]["6"]["n"] == 4
    assert found["steps_right"] == 0.75 and found["words"] == 15 and found["invented"] == 0
    assert found["answered"] == 0.75 and found["premise_corrected"] == 0.5


def test_samples_of_a_query_are_averaged_before_queries_are_compared():
    made = [("a", 1.0, "ok"), ("b", 0.0, "unresolved"), ("a", 0.0, "malformed"), ("b", 0.0, "ok")]
    shared = {"kind": "explicit", "gold_position": 0, "conditions": 1, "candidates": 6}
    rows = [
        {"example_id": name, "ndcg": ndcg, "status": status, "words": 4, **shared}
        for name, ndcg, status in made
    ]
    found = summarise(rows)
    assert (found["queries"], found["samples"], found["best_of_samples"]) == (2, 2, 0.5)
    assert found["ndcg"]["mean"] == 0.25 and found["ndcg"]["n"] == 2
    assert (found["format"], found["answered"]) == (0.75, 0.5)
    assert summarise(rows[:2])["best_of_samples"] is None


def test_an_interval_is_the_binomial_one_in_size_and_repeats():
    values = [1.0] * 60 + [0.0] * 40
    found = interval(values, seed=0)
    assert found == interval(values, seed=0) and found["mean"] == 0.6
    assert found["low"] == pytest.approx(0.6 - 1.96 * 0.049, abs=0.012) and found[
        "high"
    ] == pytest.approx(0.6 + 1.96 * 0.049, abs=0.012)


def test_ten_responses_of_all_kinds_right_and_wrong_are_shown(rows_of):
    examples, make, evidence = rows_of
    rows = [make(e, c) for e in examples for c in e.chains[:2]]
    chosen = pick(rows)
    assert (
        len(chosen) == 10
        and {r["kind"] for r in chosen} == {"explicit", "implicit", "misinformed", "interest"}
        and {r["ndcg"] for r in chosen} == {0.0, 1.0}
    )
    wrong = next(r for r in chosen if not r["ndcg"])
    shown = coloured(
        wrong, next(e for e in examples if e.example_id == wrong["example_id"]), evidence
    )
    assert "".join(piece["text"] for piece in shown["pieces"]) == wrong["response"]
    assert {"", "good", "bad"} <= {piece["verdict"] for piece in shown["pieces"]}


@pytest.mark.journey
def test_ndcg_deeper_down_agrees_with_an_independent_one(rows_of, film_store):
    from sklearn.metrics import ndcg_score

    examples, _, evidence = rows_of
    with local_server(film_store) as url, RewardClient(url) as client:
        found = evaluate(EvalConfig(baseline="popularity"), examples, evidence, client)
    rank = baseline("popularity", evidence, 0)
    for example, one in zip(examples, found["rows"], strict=True):
        ranked = rank(example)
        truth, order = (
            [[item in example.gold for item in ranked]],
            [[-n for n in range(len(ranked))]],
        )
        for k in DEEPER:
            assert one[f"ndcg_{k}"] == pytest.approx(ndcg_score(truth, order, k=k))
    assert (
        found["summary"]["ndcg_10"] > found["summary"]["ndcg_5"] > found["summary"]["ndcg"]["mean"]
    )


@pytest.mark.journey
def test_fault_16_a_server_of_another_graph_is_refused(film_store, tmp_path):
    other = tmp_path / "other.duckdb"
    other.write_bytes(film_store.read_bytes())
    with Store.open(other) as opened, opened.transaction():
        opened.db.execute("DELETE FROM edges WHERE relation = 'composer'")
        opened.drop_derived()
    with local_server(film_store) as url:
        words = [
            "eval",
            "--baseline",
            "random",
            "--split",
            "test",
            "--server",
            url,
            "--out",
            tmp_path / "out.json",
            "--store",
        ]
        refused = rerec(*words, other)
        assert (
            refused.returncode
            and "restart it on the same store" in refused.stderr
            and "Traceback" not in refused.stderr
        )
        assert not (tmp_path / "out.json").exists() and rerec(*words, film_store).returncode == 0


@pytest.mark.journey
def test_fault_17_claims_are_asked_for_where_they_are_used(rows_of, film_store):
    """Of three passes over the queries the first reads claims, the deeper ones do not."""
    examples, _, evidence = rows_of
    scraped = []
    with local_server(film_store) as url, RewardClient(url) as client:

        class Watched:
            def score(self, *asked, **options):
                found = client.score(*asked, **options)
                scraped.append(
                    sum(len(segment.claims) for score in found for segment in score.segments)
                )
                return found

        evaluate(EvalConfig(baseline="rules"), examples, evidence, Watched())
    assert len(scraped) == 1 + len(DEEPER) and scraped[1:] == [0] * len(DEEPER)


@pytest.mark.journey
def test_of_the_open_catalogue_whatever_meets_the_conditions_is_right(rows_of, film_store):
    examples, _, evidence = rows_of
    titles, meets = evidence.attributes.titles, evidence.attributes.judge
    right = {
        e.example_id: [
            i for i in titles if i not in e.anchors and all(meets(i, c) for c in e.conditions)
        ]
        for e in examples
    }
    with local_server(film_store) as url, RewardClient(url) as client:
        asked = {
            name: evaluate(
                EvalConfig(baseline=name, style="open-catalogue"), examples, evidence, client
            )
            for name in ("rules", "popularity")
        }
    rules, fame = (asked[name]["summary"] for name in ("rules", "popularity"))
    assert (rules["ndcg"]["mean"], rules["ndcg_10"], rules["satisfied"], rules["invented"]) == (
        1,
        1,
        1,
        0,
    )
    assert rules["by_candidates"].keys() == {str(len(titles))} and rules["by_gold_position"] == {}
    firsts = [baseline("popularity", evidence, 0, open_catalogue=True)(e)[0] for e in examples]
    assert (
        fame["ndcg"]["mean"]
        == sum(f in right[e.example_id] for e, f in zip(examples, firsts, strict=True))
        / len(examples)
        < 0.5
    )


@pytest.mark.journey
def test_a_response_is_cut_after_as_many_tokens_as_were_said(rows_of, film_store, tmp_path):
    examples, _, evidence = rows_of
    tokenizer, entities = build_tokenizer(evidence, [open_book(e, evidence) for e in examples])
    save(
        tmp_path, build_model(tokenizer, TinyConfig(dims=16, layers=1, seed=0)), tokenizer, entities
    )
    with local_server(film_store) as url, RewardClient(url) as client:
        found = [
            evaluate(EvalConfig(model=tmp_path, most_tokens=most), examples[:4], evidence, client)[
                "rows"
            ]
            for most in (16, 24)
        ]
    for short, long in zip(*found, strict=True):
        assert short["response"] != long["response"] and long["response"].startswith(
            short["response"]
        )


@pytest.mark.parametrize(
    ("tokens", "itemsize", "room", "rows"),
    [
        (800, 4, 2**31, 58),  # 2 × 30 layers × 3 heads × 64 × 800 × 4 = 36,864,000 bytes per row
        (800, 2, 2**31, 116),
        (40, 4, 2**31, 200),  # never more
        (8192, 4, 2**20, 1),  # nor less than one
    ],
)
def test_a_batch_has_as_many_rows_as_their_cache_has_room(tokens, itemsize, room, rows):
    config = LlamaConfig(
        num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, hidden_size=576
    )
    assert rows_per_batch(config, tokens, itemsize, room) == rows
