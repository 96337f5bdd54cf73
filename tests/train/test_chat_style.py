"""The style for chat models: labelled cards, a system prompt, lessons in sentences."""

import pytest

from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.cards import Cards, Column
from data_engine.graphs.evidence import Evidence
from data_engine.responses.reading import read
from data_engine.store.database import Store
from train.sft.lessons import lessons
from train.tasks import TASKS
from train.tasks.base import Answer
from train.tasks.chat import SYSTEM, labelled_card
from train.tasks.prompts import shortcuts


@pytest.fixture(scope="module")
def films(film_store):
    with Store.open(film_store, read_only=True) as store:
        return Evidence.load(film_store), store.examples("sft")


def card(edges, columns=("director", "starring", "composer")):
    """The card of "Heat (1995)" with these edges."""
    names = {value: value.upper() for values in edges.values() for value in values}
    graph = AttributeGraph({"i": "Heat (1995)"}, names, {"i": edges})
    rows = {"i": {relation: values[-1:] for relation, values in edges.items()}}
    cards = Cards(tuple(Column(relation, 1, 1) for relation in columns), rows)
    evidence = object.__new__(Evidence)
    object.__setattr__(evidence, "attributes", graph)
    object.__setattr__(evidence, "cards", cards)
    return labelled_card("i", evidence)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({"director": ("m",)}, "Heat (1995) — director: M"),
        (
            {"director": ("m",), "starring": ("a", "b")},
            "Heat (1995) — director: M; starring: B, A",  # what the terse card shows comes first
        ),
        ({"starring": ("a", "b", "c", "d")}, "Heat (1995) — starring: D, A and 2 more"),
        ({}, "Heat (1995)"),
    ],
)
def test_a_card_has_labels_leaves_out_what_is_missing_and_says_how_many_more(edges, expected):
    assert card(edges) == expected


def test_a_lesson_is_told_in_sentences_and_answers_with_the_chains_title(films):
    evidence, examples = films
    taught = lessons(examples, evidence, style="chat")
    assert len(taught) == len(examples)
    for example, lesson in zip(examples, taught, strict=True):
        system, user = lesson.chat
        assert system == {"role": "system", "content": SYSTEM}
        assert user["content"].count(") — ") == len(example.candidates) + len(example.anchors)
        assert read(lesson.gold).titles == [evidence.attributes.titles[example.gold[0]]]
        wrong = [evidence.attributes.titles[chain.answer] for chain in shortcuts(example)]
        assert [read(text).titles[0] for text in lesson.flawed] == wrong
        assert " no skip " not in lesson.gold and " yes keep " not in lesson.gold


def test_rows_and_policies_get_the_system_prompt(films):
    evidence, examples = films
    task, asked = TASKS["chat"], []

    class Policy:
        tool_role = "tool"

        def respond(self, prompts, turn, progress=None):
            asked.extend(prompts)
            return ["<answer>x</answer>"] * len(prompts)

    row = task.row(examples[0], evidence)
    assert task.answers(examples[:1], evidence, Policy(), None) == [Answer("<answer>x</answer>")]
    assert asked == [row["prompt"]] and [m["role"] for m in asked[0]] == ["system", "user"]


def test_the_vocabulary_knows_the_words_of_the_system_prompt(films):
    evidence, examples = films
    assert TASKS["chat"].vocabulary(examples[:2], evidence)[0] == SYSTEM
