"""RecBench+ files, all five kinds, against the hand-made films: names become ids, and what the
store cannot carry is counted.
"""

import json

import pytest

from data_engine.errors import ImportRefused
from data_engine.graphs.attributes import AttributeGraph
from data_engine.importers.recbench import RecBench, read_recbench
from data_engine.quality.audit import audit
from data_engine.store.database import Store
from tests.test_cli import rerec

EXPLICIT = {
    "source_user": "u1",
    "condition_num": 2,
    "movieCount": 2,
    "movieSubset": ["Film A (1981)", "Film C (1983)"],
    "movieSubsetId": [1, 3],
    "sharedRelationships": [["Directed_by", "Ann Arden"], ["Genre", "Drama"]],
    "direct_description_query": "A drama by Ann Arden.",
    "situational_description_query": "A rainy night: a drama by Ann Arden, please.",
    "data_idx": 0,
}
IMPLICIT = EXPLICIT | {
    "multihop_info": [{"movie": "Film B (1982)", "relation": "Directed_by", "person": "Ann Arden"}]
}
MISINFORMED = {
    "source_user": "u2",
    "movieSubset": ["Film A (1981)"],
    "sharedRelationships": [["Directed_by", "Ann Arden"]],
    "multihop_info": [{"movie": "Film B (1982)", "relation": "Directed_by", "person": "Ann Arden"}],
    "misinformed": [
        {
            "movie": "Film B (1982)",
            "relation": "Directed_by",
            "original person": "Ann Arden",
            "person": "Bo Berg",
        }
    ],
    "query": "Like Film B, which Bo Berg directed.",
}
INTEREST = {
    "Shared consecutive movies": ["Film B (1982)", "Film D (1984)"],
    "source_users": ["u3", "u4"],
    "data_idx": 1,
    "query & ground true": [
        {},
        {"reason": "comedies", "query": "Something light.", "movie subset": ["Film F (1986)"]},
    ],
}
DEMOGRAPHICS = {
    "data_idx": 2,
    "group_type": "occupation",
    "group": "writer",
    "top_10_movies": [["1", 0.4]],
    "summary": "…",
    "query & ground true": [
        {
            "reason": "…",
            "query": "For a writer.",
            "movie subset": ["Film G (1987)", "No Such Film (1900)"],
        }
    ],
}


def read(store_path, tmp_path, *records, **options):
    (tmp_path / "queries.json").write_text(json.dumps(records))
    with Store.open(store_path, read_only=True) as store:
        graph = AttributeGraph.from_store(store)
        return read_recbench(
            RecBench(files=(tmp_path / "queries.json",), **options),
            graph,
            "films",
            store.graph_digest,
        )


def test_all_five_kinds(hand_store, tmp_path):
    found, left_out = read(
        hand_store, tmp_path, EXPLICIT, IMPLICIT, MISINFORMED, INTEREST, DEMOGRAPHICS, candidates=5
    )
    assert [e.kind for e in found] == [
        "explicit",
        "implicit",
        "misinformed",
        "interest",
        "demographics",
    ] and not left_out
    explicit, implicit, misinformed, interest, demographics = found
    assert (
        explicit.gold == ("i1", "i3")
        and explicit.query.startswith("A rainy night")
        and explicit.user == "u1"
    )
    assert [(c.relation, c.value) for c in explicit.conditions] == [
        ("director", "d1"),
        ("genre", "Drama"),
    ]
    assert implicit.anchors == ("i2",)
    premise = misinformed.premise
    assert (premise.subject, premise.relation, premise.value) == ("i2", "director", "d2")
    assert interest.history == ("i2", "i4") and interest.gold == ("i6",) and interest.user == "u3"
    assert demographics.gold == ("i7",)
    for e in found:
        assert len(e.candidates) == len(set(e.candidates)) == 5 and set(e.gold) <= set(e.candidates)
        assert not {*e.anchors, *e.history} & set(e.candidates) - set(e.gold)


def test_negatives_are_proven_and_the_seed_repeats(hand_store, tmp_path):
    (example,), _ = read(hand_store, tmp_path, EXPLICIT, candidates=9)
    assert not {"i1", "i3"} ^ {
        i for i in example.candidates if i in ("i1", "i3")
    }  # the only dramas by Ann Arden
    assert read(hand_store, tmp_path, EXPLICIT, candidates=9)[0] == [example]
    assert read(hand_store, tmp_path, EXPLICIT, candidates=9, seed=1)[0] != [example]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"movieSubset": ["Nowhere (1999)"]}, "no gold item"),
        ({"movieSubset": ["Film B (1982)"]}, "no gold item"),  # the graph says it is no drama
        ({"sharedRelationships": [["Directed_by", "Nobody"]]}, "no value"),
        (
            {
                "multihop_info": [
                    {"movie": "Nowhere", "relation": "Directed_by", "person": "Ann Arden"}
                ]
            },
            "not in the store",
        ),
        ({"situational_description_query": " "}, "no query"),
    ],
)
def test_what_the_store_cannot_carry_is_counted_by_reason(hand_store, tmp_path, change, reason):
    found, left_out = read(hand_store, tmp_path, EXPLICIT, EXPLICIT | change)
    assert len(found) == 1
    ((said, count),) = left_out.items()
    assert reason in said and count == 1


def test_a_premise_that_is_true_here_is_left_out(hand_store, tmp_path):
    true = MISINFORMED | {"misinformed": [MISINFORMED["misinformed"][0] | {"person": "Ann Arden"}]}
    assert read(hand_store, tmp_path, EXPLICIT, true)[1] == {
        "the false premise is not false in the store": 1
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "[{}]",
        '[{"movieSubset": 3, "situational_description_query": "x"}]',
        "[" * 100_000,
        "[]",
    ],
)
def test_no_recbench_file_is_one_clear_error(hand_store, tmp_path, text):
    (tmp_path / "queries.json").write_text(text)
    with (
        Store.open(hand_store, read_only=True) as store,
        pytest.raises(ImportRefused, match="queries.json"),
    ):
        read_recbench(
            RecBench(files=(tmp_path / "queries.json",)),
            AttributeGraph.from_store(store),
            "films",
            store.graph_digest,
        )


@pytest.mark.journey
def test_beside_the_stores_own_examples(film_store, tmp_path):
    """Importing adds a split; importing again replaces it; synthesising leaves it; the re-check
    passes.
    """
    store = tmp_path / "f.duckdb"
    store.write_bytes(film_store.read_bytes())
    with Store.open(store) as opened:
        own = opened.examples()
        item, title = next(
            row for row in opened.rows("FROM items ORDER BY 1") if row[0] == own[0].gold[0]
        )
        condition = own[0].conditions[0]
    record = EXPLICIT | {
        "movieSubset": [title],
        "sharedRelationships": [[condition.relation, condition.name]],
    }
    (tmp_path / "queries.json").write_text(json.dumps([record]))
    for _ in range(2):
        facts = json.loads(
            rerec(
                "data", "import", "recbench", tmp_path / "queries.json", "--store", store, "--json"
            ).stdout
        )
        assert facts["kinds"] == {"explicit": 1} and facts["left_out"] == {}
    with Store.open(store) as opened:
        assert [e.gold for e in opened.examples("benchmark")] == [(item,)]
        opened.replace_examples(own[:5])
        assert opened.examples()[:5] == own[:5] and len(opened.examples()) == 6
        assert audit(opened).violations == []
