"""Words against facts, near-duplicates, lanes, the report."""

import asyncio
import json
from dataclasses import replace
from importlib import import_module

import pytest

from agents.synthesis.config import SynthConfig
from agents.synthesis.lanes import Lane
from agents.synthesis.ledger import Ledger, ledger_path
from agents.synthesis.near_duplicates import NearDuplicates, minhash
from agents.synthesis.report import commonest, distinct, summarise
from agents.synthesis.run import synthesise
from agents.synthesis.state import Draft, Request
from agents.synthesis.wording import wording_problems
from agents.synthesis.world import World
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Claim, Condition, Turn
from tests.test_cli import ROOT

SUE = Condition(relation="starring", value="s1", name="Sue Stone")
BEFORE = Condition(relation="year", value="1984", name="1984", op="below")
AFTER = BEFORE.model_copy(update={"op": "above"})
NOT_TIM = Condition(relation="starring", value="s2", name="Tim Tate", op="not")
ANN = Condition(relation="director", value="d1", name="Ann Arden")
PREMISE = Claim(kind="fact", subject="i5", relation="director", value="d1")


def draft(kind, conditions, anchors=(), **more):
    return replace(Draft(kind, "u1", "i1", conditions, anchors, None, (), (), ()), **more)


@pytest.mark.parametrize(
    ("facts", "said", "found"),
    [
        (draft("explicit", (SUE, ANN)), "A film by Ann Arden with Sue Stone.", []),
        (draft("explicit", (SUE, ANN)), "A film with Sue Stone.", ["'Ann Arden' is not mentioned"]),
        (
            draft("explicit", (SUE,)),
            "A film with Sue Stone, maybe by Bo Berg.",
            ["'Bo Berg' is no part of the facts"],
        ),
        (draft("negation", (ANN, NOT_TIM)), "By Ann Arden, but without Tim Tate.", []),
        (
            draft("negation", (ANN, NOT_TIM)),
            "By Ann Arden and with Tim Tate.",
            ["'Tim Tate' is not ruled out"],
        ),
        (draft("negation", (ANN, NOT_TIM)), "By Ann Arden. I don't want Tim Tate in it.", []),
        (draft("numeric", (ANN, BEFORE)), "By Ann Arden, from before 1984.", []),
        (
            draft("numeric", (ANN, BEFORE)),
            "By Ann Arden, made after 1984.",
            ["'1984' is not said to be a bound from above"],
        ),
        (draft("numeric", (ANN, AFTER)), "By Ann Arden, made after 1984.", []),
        (
            draft("numeric", (ANN, AFTER)),
            "By Ann Arden, from before 1984.",
            ["'1984' is not said to be a bound from below"],
        ),
        (
            draft("numeric", (ANN, AFTER)),
            "By Ann Arden, of 1984.",
            ["'1984' is not said to be a bound from below"],
        ),
        (draft("implicit", (ANN,), ("i2",)), "Same director as Film B.", []),
        (
            draft("implicit", (ANN,), ("i2",)),
            "Something by the same person.",
            ["'Film B' is not mentioned"],
        ),
        (
            draft("implicit", (ANN,), ("i2",)),
            "Same director as Film B, Ann Arden.",
            ["'Ann Arden' is no part of the facts"],
        ),
        (
            draft("implicit", (ANN,), ("i2",), about=(SUE,)),
            "Whoever directed the one with Sue Stone.",
            [],
        ),
        (
            draft("implicit", (ANN,), ("i2",), about=(SUE,)),
            "Film B with Sue Stone, same director.",
            ["'Film B (1982)' must not be named"],
        ),
        (
            draft("misinformed", (SUE,), ("i5",), premise=PREMISE),
            "Like Film E by Ann Arden, same star.",
            [],
        ),
        (
            draft("misinformed", (SUE,), ("i5",), premise=PREMISE),
            "Like Film E, same star.",
            ["'Ann Arden' is not mentioned"],
        ),
    ],
)
def test_words_are_held_against_the_facts(hand_store, facts, said, found):
    assert (
        wording_problems(facts, (Turn(role="user", text=said),), World(Evidence.load(hand_store)))
        == found
    )


def test_nearly_the_same_words_are_found():
    seen = NearDuplicates()
    text = (
        "my sister comes over tonight and we would love a quiet film by Ann Arden "
        "with Sue Stone and some music by Max Muse in it please"
    )
    assert seen.find_or_add("one", minhash(text)) is None
    assert seen.find_or_add("two", minhash(text + " thanks")) == "one"
    assert (
        seen.find_or_add(
            "three", minhash("a comedy about bees that nobody has ever heard of before")
        )
        is None
    )


def test_variety_by_hand():
    assert distinct(["a b a b", "a b"]) == 0.5  # ab ba ab · ab: two of four
    assert commonest(["a b c d e f g", "x a b c d e f", "q"]) == (
        "a b c d e f",
        pytest.approx(2 / 3),
    )
    assert commonest(["too short"]) == ("", 0.0) and distinct([]) == 0.0


class Book:
    """A ledger that only remembers what was dropped."""

    def __init__(self):
        self.dropped = []

    def drop(self, *why):
        self.dropped.append(why)


def test_a_lane_takes_outcomes_in_number_order_and_asks_for_few_more_than_it_misses():
    lane, book = (
        Lane(
            SynthConfig(counts={"sft": 3}, kinds=("explicit",), levels=(1, 3), writer="terse"),
            "sft",
            "explicit",
            3,
        ),
        Book(),
    )
    handed = lane.hand_out(10)
    assert (
        handed == [Request(0, "sft", "explicit", level, n) for n, level in enumerate((1, 3, 1))]
        and lane.hand_out(10) == []
    )
    lane.outcomes |= {2: ("c", b""), 1: ("", b"")}
    lane.judge_outcomes(book)
    assert lane.kept == [] and lane.hand_out(10) == []  # number 0 is still out
    lane.outcomes |= {0: ("c", b"")}
    lane.judge_outcomes(book)
    assert lane.kept == [0] and book.dropped == [("sft/explicit", 2, "the same as another")]
    assert [r.index for r in lane.hand_out(3)] == [
        3,
        4,
        5,
    ] and not lane.done  # two are missing, and two came to nothing in a row
    assert [r.index for r in lane.hand_out(3)] == [6] and lane.hand_out(3) == []
    lane.outcomes |= {3: ("d", b""), 4: ("e", b"")}
    lane.judge_outcomes(book)
    assert lane.kept == [0, 3, 4] and lane.done


def test_studio_opens_the_graph_over_the_named_store(film_store, monkeypatch):
    (path,) = json.loads((ROOT / "langgraph.json").read_text())["graphs"].values()
    module, name = (
        path.removeprefix("./").removesuffix(".py:make_graph").replace("/", "."),
        path.rsplit(":", 1)[1],
    )
    monkeypatch.setenv("REREC_STORE", str(film_store))
    graph = getattr(import_module(module), name)()
    state = asyncio.run(graph.ainvoke({"request": "0/sft/implicit/2/0", "attempt": 0}))
    assert state["problems"] == [] and {"sample", "write", "label", "verify", "criticise"} <= set(
        graph.get_graph().nodes
    )


@pytest.mark.journey
def test_the_report_counts_what_was_made_and_why_not(film_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    with (
        pytest.raises(DataError, match="no synthesis run"),
        Ledger(tmp_path / "empty.sqlite") as ledger,
    ):
        summarise(ledger)
    synthesise(
        path,
        SynthConfig(counts={"sft": 60}, kinds=("explicit", "negation"), levels=(1, 2), workers=1),
    )
    with Ledger(ledger_path(path)) as ledger:
        report = summarise(ledger)
        rejects = list(ledger.rejects())
    assert (
        report["verified"] == 60
        and report["levels"] == {"1": 30, "2": 30}
        and set(report["variety"]) == {"explicit", "negation"}
    )
    assert 0.9 < report["yield"] <= 1 and (report["yield"] == 1) == (not rejects)
    assert report["per_verified"] == {"calls": 0.0, "tokens": 0.0, "money": 0.0}
