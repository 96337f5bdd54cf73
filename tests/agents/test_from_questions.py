"""Examples of what people asked: from feedback over films by hand, and as a whole journey."""

import json

import httpx
import pytest

from agents.assistant.assistant import Assistant
from agents.synthesis.from_questions import examples_of_questions, put_into
from data_engine.datasets.splits import query_split
from data_engine.graphs.evidence import Evidence
from data_engine.http.child import served
from data_engine.quality.audit import audit
from data_engine.schema import Condition
from data_engine.store.database import Store
from data_engine.store.feedback import Feedback, feedback_path
from tests.test_cli import rerec

ASKED = [  # thread, message, liked items (films E to H, i5 to i8, are Bo Berg's; odd ones dramas)
    ("0", "A comedy\n  directed by Bo Berg, please", "i6"),
    ("0", "why the first one?", "i8"),
    ("1", "a drama, not starring Sue Stone", "i6 i7"),
    ("2", "a COMEDY directed by Bo Berg, please", "i8"),
    ("3", "something lighter", "i1"),
    ("4", "something like Film A", "i3"),
    ("5", "hello", "i3"),
    ("6", "a comedy or a drama", "i3"),
    ("7", "a comedy by Ann Arden", ""),
    ("8", "a drama by Ann Arden", "i6"),
    ("9", "a comedy", ""),
    ("9", "directed by Cy Cole", "i10"),
]


@pytest.fixture(scope="module")
def path(asked_store, tmp_path_factory):
    """The hand-made world with one Example, and what was asked and liked."""
    path = tmp_path_factory.mktemp("questions") / "hand.duckdb"
    path.write_bytes(asked_store.read_bytes())
    feedback_path(path).parent.mkdir()
    assistant, states = Assistant(path), {}
    with Feedback(feedback_path(path)) as feedback:
        for thread, text, liked in ASKED:
            states[thread] = assistant.answer(text, state=states.get(thread)).state
            feedback.add_question(thread, None, text, states[thread].conditions)
            for item in liked.split():
                feedback.add_opinion(thread, None, item, True)
        feedback.add_opinion("1", None, "i6", False)
    return path


def test_a_question_with_a_liked_item_becomes_an_example(path):
    found = examples_of_questions(path, candidates=4)
    first, second = found.examples
    assert first.query == "A comedy directed by Bo Berg, please" and first.kind == "explicit"
    assert {(c.op, c.relation, c.value) for c in first.conditions} == {
        ("is", "genre", "Comedy"),
        ("is", "director", "d2"),
    }
    assert first.gold == ("i6",) and len(first.candidates) == 4
    assert not {"i8", "i6"} & (set(first.candidates) - {"i6"})  # it meets all as well
    assert second.kind == "negation" and second.gold == ("i7",)  # i6 was disliked in the end
    assert [chain.flaw for chain in first.chains][0] == "" and len(first.chains) > 1
    assert first.user != second.user and first.provenance.writer == "people"


def test_what_is_not_taken_is_counted_by_reason(path):
    found = examples_of_questions(path, candidates=4)
    assert found.asked == len(ASKED) == len(found.examples) + found.left_out.total()
    assert found.left_out == {
        "ask for nothing: about an answer, or for more": 1,
        "asked before in the same words": 1,
        "not understood in part": 1,
        "rest on an item that they name": 1,
        "without a condition": 1,
        "ask for one value or another": 1,
        "without a liked item": 2,
        "the liked item misses a condition": 1,
        "go on from an earlier message, or the catalogue is another": 1,
    }


def test_they_are_proven_the_same_each_time_and_stand_behind_the_others(path):
    with Store.open(path, read_only=True) as store:
        (other,) = store.examples()
    for _ in range(2):
        found = examples_of_questions(path, candidates=4, seed=3)
        put_into(path, found.examples)
        with Store.open(path, read_only=True) as store:
            assert store.examples() == [other, *found.examples]
            mine = {example.example_id for example in found.examples}
            assert not mine & {example for example, _ in audit(store).violations}


def question_for(evidence):
    """A question and an item whose Example belongs to the SFT split."""
    graph, cards = evidence.attributes, evidence.cards
    for item, row in cards.rows.items():
        for star in row["starring"]:
            condition = Condition(relation="starring", value=star, name=graph.names[star])
            if (
                query_split(item, (condition,)) == "sft"
                and len(graph.holders("starring", star)) < 8
            ):
                return f"something starring {condition.name}", item
    raise AssertionError("no such item")


@pytest.mark.journey
def test_a_liked_answer_is_trained_on(film_store, tmp_path):
    path = tmp_path / "films.duckdb"
    path.write_bytes(film_store.read_bytes())
    question, item = question_for(Evidence.load(path))
    with served("assistant", "--store", path) as url:
        place = f"{url}/v1/conversations/{'c' * 32}"
        answer = httpx.post(place, json={"text": question}).json()["answer"]
        assert item in [one["item"] for one in answer["recommendations"]]
        httpx.post(f"{place}/feedback", json={"item": item, "liked": True}).raise_for_status()

    def told(*words):
        done = rerec(*words, "--store", path, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    imported = told("data", "import", "feedback")
    assert (imported["likes"], imported["added"], imported["examples"]) == (1, 1, 160)
    assert told("data", "import", "feedback")["added"] == 0
    made = told("synth", "--from-questions")
    assert (made["questions"], made["splits"], made["left_out"]) == (1, {"sft": 1}, {})
    assert told("verify")["passed"] == 1
    run = tmp_path / "sft"
    steps = ("--gold-steps", 1, "--mixed-steps", 1)
    trained = rerec("train", "sft", "--store", path, "--run", run, *map(str, steps))
    assert trained.returncode == 0, trained.stderr
    assert (run / "model" / "config.json").is_file()
