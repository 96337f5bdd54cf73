"""Faults of the evaluation's figures.

Rows without conditions or words, and what gold positions do to the score.
"""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Claim
from reward_server.scoring import PROFILES
from reward_server.wire import Response
from tests.conftest import example
from train.evaluation.rows import row
from train.evaluation.summary import position_bias, summarise
from train.reports.pages import render

THOUGHT = "Film E was not made by Ann Arden but by {}.\n<answer>Film A (1981)</answer>"
MISSES = "I like films.\n<answer>Film A (1981)</answer>"


@pytest.fixture(scope="module")
def judged(snapshot, hand_store):
    """row_of(text, **changes) → the row of the hand-made Example, misinformed.

    Film E (i5) is by Bo Berg (d2), not by Ann Arden (d1).
    """
    evidence, scorer = Evidence.load(hand_store), snapshot
    made = example(evidence.attributes)
    premise = Claim(kind="fact", subject="i5", relation="director", value="d1")

    def row_of(text, **changes):
        asked = made.model_copy(
            update={"kind": "misinformed", "premise": premise, "anchors": ("i5",)} | changes
        )
        (score,) = scorer.score(
            [Response(example_id=made.example_id, response=text)], PROFILES["rerec"]
        )
        return row(asked, text, score, evidence)

    return row_of


def test_fault_19_a_misinformed_example_without_conditions_is_evaluated(judged):
    bare = judged(THOUGHT.format("Bo Berg"), conditions=())
    assert bare["satisfied"] is None and bare["conditions"] == 0
    assert bare["premise_corrected"] is True  # the graph knows what is true of the film
    assert judged(MISSES, conditions=())["premise_corrected"] is False
    assert (
        judged(MISSES, conditions=(), premise=None)["premise_corrected"] is None
    )  # nothing says what is true


def test_fault_19_the_true_value_is_that_of_the_premise_not_of_the_first_condition(judged):
    """A benchmark's conditions come in any order.

    Here the first two (Sue Stone, Drama) say nothing of the director.
    """
    assert judged(THOUGHT.format("Bo Berg"))["premise_corrected"] is True
    assert judged("Sue Stone.\n<answer>Film A (1981)</answer>")["premise_corrected"] is False


@pytest.mark.parametrize("text", ["", "  \n", "<answer>\nFilm A (1981)\nFilm B (1982)\n</answer>"])
def test_fault_24_who_writes_no_reasoning_has_not_missed_the_premise(judged, text):
    found = judged(text)
    assert found["premise_corrected"] is None
    summary = summarise([found, judged(MISSES), judged(THOUGHT.format("Bo Berg"))])
    assert summary["premise_corrected"] == 0.5  # of the two that say anything
    assert summarise([found])["premise_corrected"] is None


@pytest.mark.parametrize(
    "figure", ["premise_corrected", "satisfied", "steps_right", "position_bias_p"]
)
def test_fault_24_a_report_takes_a_figure_that_there_is_not(judged, figure):
    """And one that an evaluation of an older version did not write."""
    summary = summarise([judged(THOUGHT.format("Bo Berg"))])
    for changed in (
        summary | {figure: None},
        {name: value for name, value in summary.items() if name != figure},
    ):
        page = render(
            "report.html",
            run="r",
            journey={},
            names={"sft": "after SFT"},
            evaluations={"sft": changed},
            provenance=PROVENANCE,
            **EMPTY,
        )
        assert "after SFT" in page


PROVENANCE = {"versions": {}, "commit": "", "python": "", "made": "", "config": {}}
EMPTY = {
    "curves": "",
    "last": "after SFT",
    "responses": [],
    "dataset": {
        "items": 0,
        "users": 0,
        "interactions": 0,
        "edges": 0,
        "domain": "d",
        "digest": "x",
        "lengths": [1, 2, 3],
    }
    | {
        "table": {"sft": {"explicit": 1}},
        "positions": {},
        "total": 1,
        "coverage": {},
        "examples": [],
        "titles": {},
    },
}


def rows(values, positions, candidates=6):
    counts = [candidates] * len(values) if isinstance(candidates, int) else candidates
    return [
        {"ndcg": float(v), "gold_position": p, "candidates": c}
        for v, p, c in zip(values, positions, counts, strict=True)
    ]


def between(values, positions):
    """Sum of squares between positions."""
    values, positions = np.asarray(values), np.asarray(positions)
    return sum(
        (positions == p).sum() * (values[positions == p].mean() - values.mean()) ** 2
        for p in np.unique(positions)
    )


def test_fault_22_position_bias_agrees_with_every_permutation_counted():
    """Eight queries, right only where the gold comes first.

    Of the 70 ways to place four golds first, two are as far apart, p = 2/70.
    """
    values, positions = [1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]
    assert position_bias(rows(values, positions), seed=0, draws=20_000) == pytest.approx(
        2 / 70, abs=0.004
    )
    values = [1, 0, 1, 1, 0, 0, 0.63, 0]
    placed = [[int(k in firsts) for k in range(8)] for firsts in combinations(range(8), 4)]
    exact = np.mean([between(values, p) >= between(values, positions) - 1e-9 for p in placed])
    assert position_bias(rows(values, positions), seed=0, draws=20_000) == pytest.approx(
        exact, abs=0.015
    )


def test_fault_22_without_bias_p_is_uniform_and_a_bias_shows():
    rng = np.random.default_rng(1)
    found = [
        position_bias(rows(rng.random(60) < 0.4, rng.integers(0, 6, 60)), seed, draws=199)
        for seed in range(200)
    ]
    assert all(0 < p <= 1 for p in found) and stats.kstest(found, "uniform").pvalue > 0.01
    positions = rng.integers(0, 6, 200)
    biased = rows(rng.random(200) < np.where(positions == 0, 0.7, 0.3), positions)
    assert position_bias(biased, 0) < 0.01 and position_bias(biased, 0) == position_bias(biased, 0)


def test_fault_22_queries_with_more_candidates_are_no_bias():
    """Twenty candidates are harder than two, and only there can the gold come third.

    Positions are drawn anew among queries of as many candidates.
    """
    rng = np.random.default_rng(2)
    positions = [*rng.integers(0, 2, 100), *rng.integers(0, 20, 100)]
    values = [*(rng.random(100) < 0.9), *(rng.random(100) < 0.2)]
    assert position_bias(rows(values, positions, [2] * 100 + [20] * 100), 0) > 0.05
    assert position_bias(rows(values, positions, 20), 0) < 0.01


def test_fault_22_nothing_is_said_of_one_position_or_none():
    assert (
        position_bias(rows([1, 0], [0, 0]), 0) is None
        and position_bias(rows([1, 0], [None, None]), 0) is None
    )
    assert position_bias(rows([1, 1, 1], [0, 1, 2]), 0) == 1.0  # all alike wherever the gold is
