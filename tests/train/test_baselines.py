"""The rules a policy must beat, on films made by hand and on invented ones."""

from collections import Counter

import numpy as np
import pytest

from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.conftest import example
from train.evaluation.baselines import BASELINES, answers, baseline


@pytest.fixture(scope="module")
def hand(hand_store, tmp_path_factory):
    """Evidence of the twelve films with two-dimensional embeddings, and an Example with candidates i1, i2, i9 of a user who liked i5."""
    path = tmp_path_factory.mktemp("baselines") / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    with Store.open(path) as store:
        store.save_embeddings(
            ["i1", "i2", "i5"], np.array([[1.0, 0.0], [3.0, 3.0], [0.0, 2.0]]), {}
        )
        made = example(AttributeGraph.from_store(store)).model_copy(update={"history": ("i5",)})
    return Evidence.load(path), made


def test_the_rules_follow_the_conditions(hand):
    evidence, made = hand
    assert (
        baseline("rules", evidence, 0)(made)[0] == "i1"
    )  # Drama with s1: both; i2 is a comedy, i9 has no s1


def test_popularity_ranks_by_likes(hand):
    evidence, made = hand
    likes = Counter(i for items in evidence.interactions.liked.values() for i in items)
    ranked = baseline("popularity", evidence, 0)(made)
    assert [likes[i] for i in ranked] == sorted((likes[i] for i in made.candidates), reverse=True)
    assert set(ranked) == set(made.candidates)


def test_lightgcn_ranks_by_the_angle_to_what_was_liked_and_the_unknown_last(hand):
    evidence, made = hand
    assert baseline("lightgcn", evidence, 0)(made) == [
        "i2",
        "i1",
        "i9",
    ]  # 45° to i5, 90°, no embedding


def test_random_draws_evenly_and_repeats_by_seed(hand):
    evidence, made = hand
    firsts = Counter(baseline("random", evidence, seed)(made)[0] for seed in range(900))
    assert all(240 < firsts[i] < 360 for i in made.candidates)
    assert baseline("random", evidence, 7)(made) == baseline("random", evidence, 7)(made)


@pytest.mark.parametrize("name", BASELINES)
def test_the_scorer_reads_every_baseline_s_answer_and_perfect_reading_is_perfect(film_store, name):
    evidence, snapshot = Evidence.load(film_store), Snapshot.load(film_store)
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples("test")
    texts = answers(baseline(name, evidence, 0), examples, evidence)
    scores = snapshot.score(
        [
            Response(example_id=e.example_id, response=t)
            for e, t in zip(examples, texts, strict=True)
        ],
        PROFILES["ndcg"],
    )
    assert {s.status for s in scores} == {"ok"}
    found = sum(s.ndcg for s in scores) / len(scores)
    assert found == 1.0 if name == "rules" else found < 0.75
