"""A snapshot of a store: what it says of itself, and the scores that hinge on one rule."""

import numpy as np
import pytest

from data_engine.errors import DataError
from data_engine.store.database import Store
from reward_server.errors import UnknownExamples
from reward_server.scoring import PROFILES
from reward_server.snapshot import CHARACTERS, Snapshot
from reward_server.wire import Look, Response, Weights

VECTORS = np.array([[1, 0], [3, 4], [0, 0], [-2, 0]], np.float32)  # of i1, i2, i3, i4


@pytest.fixture(scope="module")
def embedded(asked_store, tmp_path_factory):
    """A snapshot of the hand-made films whose first four items have an embedding."""
    path = tmp_path_factory.mktemp("embedded") / "s.duckdb"
    path.write_bytes(asked_store.read_bytes())
    with Store.open(path) as store:
        store.save_embeddings(["i1", "i2", "i3", "i4"], VECTORS, {})
    return Snapshot.load(path)


def score_of(snapshot, text, weights=PROFILES["rerec"], **options):
    (name,) = snapshot.targets
    (found,) = snapshot.score([Response(name, text)], weights, **options)
    return found


@pytest.mark.parametrize(
    ("letter", "expected"), [("A", 1.0), ("B", 0.6), ("C", None), ("D", -1.0), ("I", None)]
)
def test_pas_is_the_cosine_with_the_gold_film(embedded, letter, expected):
    """None for a vector of zeros, which has no direction, and for a film without a vector."""
    found = score_of(embedded, f"<answer>Film {letter}</answer>").pas
    assert found == (None if expected is None else pytest.approx(expected))


def test_what_a_snapshot_says_of_itself(snapshot):
    assert snapshot.facts() == {
        "status": "ready",
        "graph_digest": snapshot.graph.digest,
        "examples": 1,
        "head_digest": None,
    }
    snapshot.start_head()  # there is none to start
    assert snapshot.head is None


def test_a_store_without_examples_cannot_be_served(hand_store):
    with pytest.raises(DataError, match="holds no examples to score against: run `rerec synth"):
        Snapshot.load(hand_store)


def test_of_unknown_ids_the_number_and_the_first_are_named(snapshot):
    (known,) = snapshot.targets
    asked = [Response(name, "") for name in ("zz", known, "aa", "zz")]
    with pytest.raises(UnknownExamples, match=r"^2 example ids .*first: aa.*synthesised again\?$"):
        snapshot.score(asked, PROFILES["rerec"])


@pytest.mark.parametrize("more", [-1, 0, 1, 400])
def test_a_long_answer_scores_as_a_short_one(snapshot, more):
    """However many characters of no title follow the right one."""
    rest = "x" * (CHARACTERS - len("Film A") + more)
    found = score_of(snapshot, f"Film A Drama\n<answer>Film A\n{rest}\nFilm A</answer>")
    assert (found.status, found.score, found.ndcg, found.qas) == ("ok", 1.5, 1.0, 1.0)
    assert (found.recommended, found.unresolved, found.duplicates) == (["i1"], 1, 1)
    assert [segment.verdict for segment in found.segments] == ["ok", "ok"]


def test_a_wrong_film_that_was_no_candidate_is_found_in_the_reasoning(snapshot):
    """Film L is not near the query, so it is looked for only because the answer names it."""
    found = score_of(snapshot, "Film L is it\nFilm K is not\n<answer>Film L</answer>")
    assert [segment.mentions for segment in found.segments] == [["i12"], [], ["i12"]]
    assert [segment.verdict for segment in found.segments] == [
        "wrong_item",
        "unknown",
        "wrong_item",
    ]
    reward = found.score - 0.5 * abs(found.score)
    assert [segment.reward for segment in found.segments] == [reward, found.score, reward]


@pytest.mark.parametrize(
    ("answer", "status", "unresolved"),
    [("Film Z", "unresolved", 1), ("Film Z\nFilm Y", "unresolved", 2), ("", "no_answer", 0)],
)
def test_an_answer_that_names_no_film_scores_nothing(snapshot, answer, status, unresolved):
    found = score_of(snapshot, f"<answer>{answer}</answer>")
    assert (found.status, found.score, found.ndcg, found.qas, found.pas) == (
        status,
        0,
        0,
        None,
        None,
    )
    assert (found.recommended, found.unresolved) == ([], unresolved)


def test_scores_come_in_the_order_of_the_responses(snapshot):
    (name,) = snapshot.targets
    texts = ["<answer>Film I</answer>", "<answer>Film A</answer>", "nothing"]
    found = snapshot.score([Response(name, text) for text in texts], Weights(), claims=False)
    assert [score.ndcg for score in found] == [0.0, 1.0, 0.0]
    assert [score.example_id for score in found] == [name] * 3


def test_a_snapshot_answers_look_ups(snapshot):
    call = Look(tool="lookup", item="Film A", relation="starring", among=["i1", "i2"])
    found = snapshot.look_up(call)
    assert (found.found, found.problem) == (["Sue Stone"], "")
