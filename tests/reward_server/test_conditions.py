"""Conditions that rule out or bound, as the server judges them: what is needed, what matches, what
is rightly kept.
"""

import pytest

from data_engine.graphs.attributes import AttributeGraph
from data_engine.schema import Condition
from data_engine.store.database import Store
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.conftest import example, hand_catalogue

DRAMA = Condition(relation="genre", value="Drama", name="Drama")
NOT_TIM = Condition(relation="starring", value="s2", name="Tim Tate", op="not")
EARLY = Condition(relation="year", value="1983", name="1983", op="below")


def scorer(folder, conditions):
    path, catalogue = folder / "s.duckdb", hand_catalogue()
    years = {item: title[-5:-1] for item, title in catalogue.items}
    catalogue.attributes.extend((f"y{year}", year) for year in sorted(set(years.values())))
    catalogue.edges.extend((item, "year", f"y{year}", 0) for item, year in years.items())
    with Store.open(path, create=True) as store:
        store.replace_catalogue(catalogue)
        made = (
            example(AttributeGraph.from_store(store))
            .model_copy(update={"conditions": conditions})
            .named()
        )
        store.replace_examples([made])
    snapshot = Snapshot.load(path)
    return lambda text, profile="rerec": snapshot.score(
        [Response(example_id=made.example_id, response=text)], PROFILES[profile]
    )[0]


def verdicts(score):
    return [(c.kind, c.value, c.verdict) for segment in score.segments for c in segment.claims]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Need genre Drama and not star Tim Tate.",
            [
                ("need", "Drama", "supported"),
                ("need", "s2", "supported"),
                ("needs", "", "supported"),
            ],
        ),
        (
            "Need genre Drama and star Tim Tate.",
            [
                ("need", "Drama", "supported"),
                ("need", "s2", "contradicted"),
                ("needs", "s2", "contradicted"),
            ],
        ),
        (
            "Need not genre Drama.",
            [("need", "Drama", "contradicted"), ("needs", "Drama", "contradicted")],
        ),
        (
            "Film A (1981) Sue Stone yes keep",
            [
                ("fact", "s1", "supported"),
                ("match", "s1", "supported"),
                ("decision", "keep", "supported"),
            ],
        ),
        (
            "Film I (1989) Tim Tate yes keep",
            [
                ("fact", "s2", "supported"),
                ("match", "s2", "contradicted"),
                ("decision", "keep", "contradicted"),
            ],
        ),
        (
            "Film I (1989) Tim Tate no skip",
            [
                ("fact", "s2", "supported"),
                ("match", "s2", "supported"),
                ("decision", "skip", "supported"),
            ],
        ),
    ],
)
def test_what_is_ruled_out(tmp_path, line, expected):
    assert verdicts(scorer(tmp_path, (DRAMA, NOT_TIM))(line)) == expected


def test_a_number_is_no_name_that_could_have_been_left_out(tmp_path):
    """EARLY is "year below 1983"."""
    assert verdicts(scorer(tmp_path, (DRAMA, EARLY))("Need genre Drama and year below 1983."))[
        -1
    ] == ("needs", "", "supported")


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("Film A (1981) keep", "supported"),
        ("Film I (1989) keep", "contradicted"),
        ("Film I (1989) skip", "supported"),
    ],
)
def test_what_is_bounded(tmp_path, line, verdict):
    assert verdicts(scorer(tmp_path, (DRAMA, EARLY))(line)) == [
        ("decision", line.split()[-1], verdict)
    ]


def test_the_share_of_conditions_met(tmp_path):
    """Film B (1982) is a Comedy without Tim Tate before 1983: two of three."""
    score = scorer(tmp_path, (DRAMA, NOT_TIM, EARLY))
    assert score("<answer>Film B (1982)</answer>", "rerec-conditions").qas == pytest.approx(2 / 3)
    assert score("<answer>Film A (1981)</answer>", "rerec-conditions").qas == 1.0
    assert score("<answer>Film I (1989)</answer>", "rerec-conditions").qas == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("conditions", "right"),
    [
        ((DRAMA, NOT_TIM), "AC"),  # dramas are A, C, E, …; E, G, I and K have Tim Tate
        ((DRAMA, EARLY), "A"),  # 1981; C is of 1983
        ((NOT_TIM,), "ABCD"),
        ((EARLY,), "AB"),
    ],
)
def test_whatever_meets_the_conditions_is_right_where_the_whole_catalogue_was_to_be_chosen_from(
    tmp_path, conditions, right
):
    score = scorer(tmp_path, conditions)
    found = [
        score(f"<answer>Film {letter} ({1981 + n})</answer>", "open-catalogue").ndcg
        for n, letter in enumerate("ABCDEFGHIJKL")
    ]
    assert found == [float(letter in right) for letter in "ABCDEFGHIJKL"]
