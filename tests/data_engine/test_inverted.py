"""The inverted graph and the index of names, each against the other way to the same answer."""

from random import Random

import numpy as np
import pytest

from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.audience import with_audience_edges, with_audiences
from data_engine.graphs.extending import with_edges
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.index import NameIndex
from data_engine.names.mentions import NameFinder
from data_engine.schema import Condition
from data_engine.store.catalogue import Catalogue
from data_engine.store.database import Store


def films() -> Catalogue:
    """Six films: two without a year, one whose year is a word, one with two years."""
    years = {"a": ["1980"], "b": ["1990"], "c": ["2000", "1970"], "d": ["unknown"]}
    edges = [(item, "year", year, n) for item, of in years.items() for n, year in enumerate(of)]
    edges += [(item, "genre", "Drama" if item in "ace" else "Comedy", 0) for item in "abcde"]
    attributes = [(value, value) for value in sorted({edge[2] for edge in edges})]
    items = [(item, f"Title {item} (1999)") for item in "abcdef"]
    likes = [(f"u{n}", "abcdef"[n % 6], 5.0, n) for n in range(12)]
    return Catalogue("films", "hand", items, attributes, edges, likes)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[AttributeGraph, InvertedGraph]:
    """The same graph in dicts and inverted."""
    with Store.open(tmp_path_factory.mktemp("inverted") / "s.duckdb", create=True) as store:
        store.replace_catalogue(films())
        return AttributeGraph.from_store(store), InvertedGraph(GraphArrays.of(store))


@pytest.mark.parametrize(
    "condition",
    [
        ("is", "genre", "Drama"),
        ("not", "genre", "Drama"),
        ("is", "year", "1990"),
        ("not", "year", "1990"),
        ("below", "year", "1985"),
        ("above", "year", "1985"),
        ("above", "genre", "3"),
        ("is", "genre", "Western"),
        ("not", "colour", "red"),
    ],
)
def test_the_bits_of_a_condition_are_its_verdicts(both, condition):
    op, relation, value = condition
    asked = Condition(op=op, relation=relation, value=value, name=value)
    dicts, inverted = both
    verdicts = [dicts.judge(item, asked) for item in "abcdef"]
    assert [bool(bit) for bit in inverted.met(asked)] == [verdict is True for verdict in verdicts]
    unknown = [bool(bit) for bit in inverted.unknown(asked)]
    assert unknown == [verdict is None for verdict in verdicts]


def test_what_an_item_has_and_who_has_a_value(both):
    dicts, inverted = both
    assert inverted.values("c", "year") == dicts.values("c", "year") == ("2000", "1970")
    assert inverted.holders("genre", "Drama") == ("a", "c", "e")
    assert inverted.counts("Drama") == {"genre": 3}
    assert inverted.title("a") == "Title a (1999)" and inverted.name("Drama") == "Drama"
    assert list(inverted.values_in("genre")) == ["Comedy", "Drama"]
    assert inverted.numeric == ()  # one year is a word
    with pytest.raises(KeyError, match="zz"):
        inverted.title("zz")


def test_edges_of_a_new_relation_stand_among_the_others(both):
    added = [("a", "red"), ("c", "blue"), ("c", "red")]
    names = {"red": "Red", "blue": "Blue"}
    inverted = InvertedGraph(with_edges(both[1].arrays, "colour", added, names))
    assert inverted.relations == ("colour", "genre", "year")
    assert inverted.values("c", "colour") == ("blue", "red") and inverted.name("red") == "Red"
    assert inverted.holders("colour", "red") == ("a", "c")
    assert all(
        inverted.values(item, relation) == both[0].values(item, relation)
        for item in "abcdef"
        for relation in ("genre", "year")
    )


def test_groups_of_users_are_the_same_in_both_backends(tmp_path):
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(films())
        store.db.execute("DELETE FROM interactions")
        store.db.execute(
            "INSERT INTO users (user_id, gender) SELECT 'f' || range, 'F' FROM range(60)"
        )
        store.db.execute(
            "INSERT INTO users (user_id, gender) SELECT 'm' || range, 'M' FROM range(60)"
        )
        for users, item in (("f", "a"), ("m", "b")):
            store.db.execute(
                "INSERT INTO interactions (user_id, item_id, rating) "
                f"SELECT '{users}' || range, '{item}', 5 FROM range(40)"
            )
        dicts = with_audiences(AttributeGraph.from_store(store), store)
        inverted = InvertedGraph(with_audience_edges(GraphArrays.of(store), store))
    assert dicts.values("a", "popular_with") == ("popular_with/gender/F",)
    for item in "abcdef":
        assert inverted.values(item, "popular_with") == dicts.values(item, "popular_with")


def test_the_index_finds_what_the_automaton_finds():
    rng = Random(3)
    words = ["Heat", "heat wave", "the", "Dr. No", "no", "Amélie", "O'Hara", "wave", "Wave-rider"]
    names = [" ".join(rng.choices(words, k=rng.randint(1, 3))) for _ in range(60)]
    pairs = [(name, n) for n, name in enumerate(names)]
    index, finder = NameIndex.build(pairs), NameFinder(pairs, fold_case=True)
    for _ in range(300):
        text = rng.choice(["", " ", "\n"]).join(
            f"{word}{rng.choice(['', ',', '!', chr(10), ' '])} "
            for word in rng.choices(words, k=rng.randint(0, 8))
        )
        expected = [(start, end, tuple(sorted(of))) for start, end, of in finder.find(text)]
        found = [(start, end, tuple(sorted(of))) for start, end, of in index.find(text)]
        assert found == expected, text


def test_an_index_is_the_same_when_it_is_mapped(tmp_path):
    index = NameIndex.build([("Heat", 1), ("heat", 2), ("Heat", 1), ("Dr. No", 3)])
    index.save(tmp_path)
    mapped = NameIndex.open(tmp_path)
    assert mapped.get("HEAT") == (1, 2) and mapped.get("dr no") == (3,) and mapped.get("x") == ()
    assert mapped.find("I saw Dr. No and heat") == [(6, 12, (3,)), (17, 21, (1, 2))]
    assert NameIndex.build([]).find("Heat") == []
    assert np.array_equal(mapped.bearer, index.bearer)
