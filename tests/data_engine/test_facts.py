"""Both backends of `Facts` give the same answers, by hand and on graphs that hypothesis makes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.facts import all_hold
from data_engine.graphs.arrays import GraphArrays, Strings
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.mapped import MappedGraph
from data_engine.schema import Condition
from data_engine.store.database import Store

NAMES = {"d1": "Ann", "d2": "Bo", "g1": "Drama", "n1": "7", "n2": "7.5", "n3": "12", "w": "unknown"}
EDGES = {
    "a": {"director": ("d1",), "genre": ("g1",), "score": ("n1",)},
    "b": {"director": ("d2", "d1"), "score": ("n2", "n3")},
    "c": {"director": ("d2",), "score": ("n3", "w")},
    "e": {"score": ("w",)},
}
ITEMS = ("a", "b", "c", "d", "e")  # d has no edge


def attribute_graph(edges, names):
    return AttributeGraph({item: item.upper() for item in ITEMS}, names, edges)


def mapped_graph(edges, names):
    """The same graph in arrays, made here and not by the store."""
    relations = sorted({relation for by in edges.values() for relation in by})
    ids, starts, rows = sorted(names), [0], []
    for item in ITEMS:
        for relation in sorted(edges.get(item, {})):
            values = edges[item][relation]
            rows += [(relations.index(relation), ids.index(value)) for value in values]
        starts.append(len(rows))
    columns = np.array(rows, np.int64).reshape(-1, 2)
    none = np.zeros(0, np.int64)
    arrays = GraphArrays(
        digest="",
        item_ids=Strings.pack(ITEMS),
        titles=Strings.pack([item.upper() for item in ITEMS]),
        attribute_ids=Strings.pack(ids),
        names=Strings.pack([names[value] for value in ids]),
        relations=Strings.pack(relations),
        edge_start=np.array(starts, np.int64),
        relation=columns[:, 0].astype(np.uint16),
        attribute=columns[:, 1].astype(np.int32),
        user_ids=Strings.pack([]),
        like_start=np.zeros(1, np.int64),
        **dict.fromkeys(("item", "rating", "time", "liked"), none),
    )
    return MappedGraph(arrays)


BACKENDS = {"attributes": attribute_graph, "mapped": mapped_graph}


@pytest.fixture(params=BACKENDS)
def facts(request):
    return BACKENDS[request.param](EDGES, NAMES)


def condition(op, relation, value):
    return Condition(op=op, relation=relation, value=value, name=NAMES.get(value, value))


def test_values_are_listed_in_credit_order(facts):
    assert facts.values("b", "director") == ("d2", "d1")
    assert facts.values("b", "genre") == facts.values("d", "director") == ()
    assert facts.values("nobody", "director") == facts.values("a", "nothing") == ()


def test_holders_are_listed_in_id_order(facts):
    assert facts.holders("director", "d1") == ("a", "b")
    assert facts.holders("director", "d2") == ("b", "c")
    assert facts.holders("genre", "d1") == facts.holders("nothing", "d1") == ()
    assert facts.holders("genre", "nothing") == ()


@pytest.mark.parametrize(
    ("op", "relation", "value", "truth"),  # of items a, b, c, d, e
    [
        ("is", "director", "d1", (True, True, False, None, None)),
        ("not", "director", "d1", (False, False, True, None, None)),
        ("is", "director", "g1", (False, False, False, None, None)),
        ("is", "director", "nothing", (False, False, False, None, None)),
        ("not", "director", "nothing", (True, True, True, None, None)),
        ("is", "nothing", "d1", (None, None, None, None, None)),
        ("is", "genre", "g1", (True, None, None, None, None)),
        ("below", "score", "12", (True, False, None, None, None)),
        ("below", "score", "12.5", (True, True, None, None, None)),
        ("above", "score", "7", (False, True, None, None, None)),
        ("above", "score", "6.9", (True, True, None, None, None)),
        ("below", "director", "3", (None, None, None, None, None)),
        ("above", "nothing", "3", (None, None, None, None, None)),
    ],
)
def test_a_condition_is_judged(facts, op, relation, value, truth):
    asked = condition(op, relation, value)
    assert tuple(facts.judge(item, asked) for item in ITEMS) == truth
    assert tuple(facts.meets(item, [asked]) for item in ITEMS) == tuple(t is True for t in truth)
    assert tuple(facts.misses(item, [asked]) for item in ITEMS) == tuple(t is False for t in truth)


def test_an_edge_is_there_or_excluded_or_unknown(facts):
    assert facts.states("a", "director", "d1") and facts.has("a", "director", "d1")
    assert facts.states("a", "director", "d2") is False and facts.excludes("a", "director", "d2")
    assert facts.states("d", "director", "d1") is None
    assert not facts.has("d", "director", "d1") and not facts.excludes("d", "director", "d1")


def test_all_conditions_together(facts):
    ann, drama = condition("is", "director", "d1"), condition("is", "genre", "g1")
    assert [facts.fits(item, (ann, drama)) for item in ITEMS] == [True, None, False, None, None]
    assert [facts.fits(item, (drama, ann)) for item in ITEMS] == [True, None, False, None, None]
    assert facts.fits("d", ()) is True


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), True),
        ((True, True), True),
        ((True, None), None),
        ((None, False), False),
        ((False, None), False),
        ((None, None), None),
    ],
)
def test_a_conjunction_of_verdicts(verdicts, expected):
    assert all_hold(iter(verdicts)) is expected


VALUES = st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=4, unique=True).map(tuple)
RELATIONS = ("director", "genre", "score")
GRAPHS = st.dictionaries(
    st.sampled_from(ITEMS), st.dictionaries(st.sampled_from(RELATIONS), VALUES), max_size=5
)
CONDITIONS = st.one_of(
    st.builds(
        condition,
        st.sampled_from(("is", "not")),
        st.sampled_from((*RELATIONS, "nothing")),
        st.sampled_from((*NAMES, "nothing")),
    ),
    st.builds(
        condition,
        st.sampled_from(("below", "above")),
        st.sampled_from((*RELATIONS, "nothing")),
        st.sampled_from(("0", "7", "7.5", "8", "12", "13")),
    ),
)


@given(GRAPHS, st.lists(CONDITIONS, max_size=4))
def test_the_backends_agree(edges, conditions):
    one, other = (make(edges, NAMES) for make in BACKENDS.values())
    requirements = other.requirements((c.op, c.relation, c.value) for c in conditions)
    for item in (*ITEMS, "nobody"):
        for relation in (*RELATIONS, "nothing"):
            assert one.values(item, relation) == other.values(item, relation)
        for asked in conditions:
            assert one.judge(item, asked) is other.judge(item, asked)
        fits = one.fits(item, conditions)
        assert fits is other.fits(item, conditions) is other.verdict_on_all(item, requirements)
    for asked, compiled in zip(conditions, requirements.conditions, strict=True):
        holders = one.holders(asked.relation, asked.value)
        assert holders == other.holders(asked.relation, asked.value)
        meeting = {item for item in ITEMS if one.judge(item, asked)}
        assert other.meeting(compiled) == meeting


def test_the_backends_agree_on_a_store(hand_store):
    with Store.open(hand_store, read_only=True) as store:
        one, other = AttributeGraph.from_store(store), MappedGraph(GraphArrays.of(store))
    for relation, value in one.items_by_edge:
        assert one.holders(relation, value) == other.holders(relation, value)
        asked = Condition(relation=relation, value=value, name="")
        for item in one.titles:
            assert one.values(item, relation) == other.values(item, relation)
            assert one.judge(item, asked) is other.judge(item, asked)
