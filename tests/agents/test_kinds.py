"""Every kind at every level: its promises hold in the graph, and the independent audit agrees."""

import re
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from agents.synthesis.config import SynthConfig
from agents.synthesis.graph import build_graph
from agents.synthesis.kinds import DRAFTS, check_kind
from agents.synthesis.nodes import Nodes
from agents.synthesis.run import synthesise
from agents.synthesis.state import LUCKY, Request
from agents.synthesis.world import World
from agents.synthesis.writers.template import TemplateWriter
from data_engine.errors import DataError, UnsupportedKind
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.audience import RELATION
from data_engine.graphs.evidence import Evidence
from data_engine.names.spoken import spoken_value
from data_engine.quality.audit import audit
from data_engine.schema import KINDS, Condition
from data_engine.store.database import Store
from tests.conftest import hand_catalogue

EACH = 6


@pytest.fixture(scope="module")
def crowd_store(film_store, tmp_path_factory):
    """The invented films, whose users have a gender and tastes that differ by it."""
    path = tmp_path_factory.mktemp("crowd") / "crowd.duckdb"
    path.write_bytes(film_store.read_bytes())
    with Store.open(path) as store:
        store.db.execute("DELETE FROM users")
        store.db.execute(
            "INSERT INTO users SELECT user_id, NULL, "
            "CASE WHEN avg((hash(item_id) % 2)::DOUBLE) > 0.5 THEN 'F' ELSE 'M' END, NULL "
            "FROM interactions GROUP BY user_id"
        )
        store.db.execute(
            "INSERT INTO interactions "
            "SELECT u.user_id, i.item_id, 5.0, 1, NULL FROM users u, items i "
            "WHERE (hash(i.item_id) % 20 = 0) = (u.gender = 'F') "
            "AND hash(i.item_id) % 10 = 0 AND NOT EXISTS (SELECT 1 FROM interactions x "
            "WHERE x.user_id = u.user_id AND x.item_id = i.item_id)"
        )
    return path


@pytest.fixture(scope="module")
def made(crowd_store):
    """EACH Examples of every kind and level, by (kind, level)."""
    world = World(Evidence.load(crowd_store))
    nodes = Nodes(world, TemplateWriter(), 6)
    graph = build_graph(nodes)

    found = {}
    for kind in KINDS:
        for level in (1, 2, 3):
            for index in range(EACH):
                request = str(Request(0, "sft", kind, level, index))
                state = graph.invoke({"request": request, "attempt": 0})
                assert not state["problems"], (request, state)
                found.setdefault((kind, level), []).append(nodes.pop(request).example)
    return world, found


def names(name, text):
    """Whether a text says a name, in any way in which it is said."""
    return any(form in text.casefold() for form in spoken_value(name))


def test_the_audit_proves_every_kind_at_every_level(made, crowd_store, tmp_path):
    _, found = made
    examples = {e.example_id: e for group in found.values() for e in group}
    path = tmp_path / "s.duckdb"
    path.write_bytes(crowd_store.read_bytes())
    with Store.open(path) as store:
        store.replace_examples(examples.values())
        result = audit(store)
    assert result.violations == [] and set(result.kinds) == set(KINDS)


def test_a_catalogue_whose_names_are_all_shared_is_told_so(tmp_path):
    with Store.open(tmp_path / "same.duckdb", create=True) as store:
        store.replace_catalogue(hand_catalogue())
        store.db.execute("UPDATE attributes SET name = 'Same'")
    world = World(Evidence.load(tmp_path / "same.duckdb"))
    with pytest.raises(DataError, match="rerec data doctor"):
        _ = world.users


def test_every_example_has_a_gold_chain_and_two_flawed_ones(made):
    _, found = made
    for group in found.values():
        for e in group:
            gold, *flawed = e.chains
            assert gold.flaw == "" and gold.answer in e.gold and len(flawed) == 2
            for chain in flawed:
                assert any(step.label == "wrong" for step in chain.steps)
                assert (chain.answer in e.gold) == (chain.flaw == LUCKY)


def test_levels_make_queries_harder(made):
    _, found = made
    assert [len(found["explicit", level][0].conditions) for level in (1, 2, 3)] == [1, 2, 3]
    assert [len(found["interest", level][0].anchors) for level in (1, 2, 3)] == [4, 3, 2]
    assert [len(found["conversation", level][0].turns) for level in (1, 2, 3)] == [3, 5, 7]
    for kind in KINDS:
        one, three = (sum(e.difficulty for e in found[kind, level]) for level in (1, 3))
        assert one < three and {e.level for e in found[kind, 3]} == {3}


def test_implicit_at_level_3_never_names_its_anchor(made):
    world, found = made
    for e in found["implicit", 3] + found["tools", 3]:
        (anchor,) = e.anchors
        assert world.evidence.attributes.titles[anchor].rsplit(" (", 1)[0] not in e.query
        described = [
            c
            for c in e.chains[0].steps[0].claims
            if c.relation != e.conditions[0].relation or c.value != e.conditions[0].value
        ]
        holders = [set(world.evidence.attributes.holders(c.relation, c.value)) for c in described]
        assert set.intersection(*holders) == {anchor}


def test_negations_are_met_by_gold_and_heard_in_the_words(made):
    world, found = made
    for e in (e for level in (1, 2, 3) for e in found["negation", level]):
        ruled_out = [c for c in e.conditions if c.op == "not"]
        assert len(ruled_out) == 1 and names(ruled_out[0].name, e.query)
        assert world.evidence.attributes.excludes(
            e.gold[0], ruled_out[0].relation, ruled_out[0].value
        )


def test_bounds_are_kept_by_gold_and_said(made):
    world, found = made
    graph = world.evidence.attributes
    for e in (e for level in (1, 2, 3) for e in found["numeric", level]):
        (bound,) = [c for c in e.conditions if c.op in ("below", "above")]
        (year,) = graph.edges[e.gold[0]][bound.relation]
        assert (int(graph.names[year]) < int(bound.value)) == (
            bound.op == "below"
        ) and bound.value in e.query
        assert int(graph.names[year]) != int(bound.value)


def test_a_comparison_shares_one_thing_with_its_anchor_and_differs_in_the_other(made):
    world, found = made
    for e in (e for level in (1, 2, 3) for e in found["comparison", level]):
        same, contrast = e.conditions
        assert world.evidence.attributes.judge(e.anchors[0], same) is True
        assert world.evidence.attributes.judge(e.anchors[0], contrast) is False


def test_a_conversation_takes_back_what_it_takes_back(made):
    world, found = made
    graph = world.evidence.attributes
    for e in found["conversation", 2] + found["conversation", 3]:
        assert [t.role for t in e.turns][::2] == ["user"] * len(e.turns[::2]) and e.turns[
            -1
        ].text == e.query
        kept = (
            next(c for c in e.chains if c.flaw == "retracted_kept")
            if any(c.flaw == "retracted_kept" for c in e.chains)
            else None
        )
        if kept:
            wanted = {
                (c.relation, c.value) for s in kept.steps if s.role == "need" for c in s.claims
            }
            dropped = wanted - {(c.relation, c.value) for c in e.conditions}
            ((_, value),) = dropped
            assert names(graph.names[value], e.turns[0].text)
    for e in found["conversation", 3]:
        assert graph.misses(e.anchors[0], e.conditions) and e.anchors[0] not in e.candidates


def test_tool_calls_give_what_the_graph_says(made):
    world, found = made
    graph = world.evidence.attributes
    for e in (e for level in (1, 2, 3) for e in found["tools", level]):
        *lookups, holders = e.calls
        assert all(call.result == graph.edges[call.item][call.relation] for call in lookups) and [
            c.item for c in lookups
        ] == list(e.anchors)
        assert set(e.gold) == set(holders.result) and e.chains[0].steps[0].role == "call"


def test_a_group_likes_its_items_more_than_others_do(made, crowd_store):
    """Lift counted once more, straight from the tables."""
    _, found = made
    with Store.open(crowd_store, read_only=True) as store:
        likes = store.rows(
            "SELECT user_id, item_id FROM interactions WHERE coalesce(liked, rating >= 4)"
        )
        gender = dict(store.rows("SELECT user_id, gender FROM users"))
    total, by_item = Counter(gender[u] for u, _ in likes), Counter((gender[u], i) for u, i in likes)
    for e in (e for level in (1, 2, 3) for e in found["demographics", level]):
        group = next(c for c in e.conditions if c.relation == RELATION).name.split()[1]
        for item in e.gold:
            mine, all_ = by_item[group, item], sum(by_item[g, item] for g in "FM")
            assert mine / all_ >= 1.4 * total[group] / len(likes)


def test_kinds_that_need_more_say_what(film_store, hand_store):
    with pytest.raises(UnsupportedKind, match="age, gender or occupation"):
        check_kind("demographics", World(Evidence.load(film_store)))
    with pytest.raises(UnsupportedKind, match="numbers, such as year"):
        check_kind("numeric", World(Evidence.load(hand_store)))
    assert set(DRAFTS) == set(KINDS)


def condition(op, relation, value):
    return Condition(relation=relation, value=value, name=value, op=op)


@pytest.mark.parametrize(
    ("asked", "truth"),
    [
        (condition("is", "genre", "War"), True),
        (condition("is", "genre", "Drama"), False),
        (condition("not", "genre", "War"), False),
        (condition("not", "genre", "Drama"), True),
        (condition("is", "editor", "x"), None),
        (condition("not", "editor", "x"), None),
        (condition("below", "year", "1990"), False),
        (condition("below", "year", "1991"), True),
        (condition("above", "year", "1989"), True),
        (condition("above", "year", "1990"), False),
        (condition("above", "genre", "1990"), None),
        (condition("below", "length", "100"), None),
    ],
)
def test_conditions_by_hand(asked, truth):
    graph = AttributeGraph(
        {"i": "I"}, {"War": "War", "y": "1990"}, {"i": {"genre": ("War",), "year": ("y",)}}
    )
    assert (
        graph.judge("i", asked) is truth
        and graph.meets("i", (asked,)) is (truth is True)
        and graph.misses("i", (asked,)) is (truth is False)
    )


def rules(examples, store):
    """How far a popularity, a longest-title and a first-candidate rule are above chance."""
    evidence = Evidence.load(store)
    liked, titles = (
        Counter(i for items in evidence.interactions.liked.values() for i in items),
        evidence.attributes.titles,
    )
    picks = {
        "popular": lambda e: max(e.candidates, key=lambda i: (liked[i], i)),
        "long": lambda e: max(e.candidates, key=lambda i: (len(titles[i]), i)),
        "first": lambda e: e.candidates[0],
    }
    return {
        name: sum(pick(e) in e.gold for e in examples) / len(examples) - 1 / 6
        for name, pick in picks.items()
    }


@pytest.mark.journey
def test_no_trivial_rule_finds_the_gold(film_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    kinds = tuple(k for k in KINDS if k != "demographics")
    examples = list(
        synthesise(
            path,
            SynthConfig(
                counts={"sft": 1800}, kinds=kinds, levels=(1, 2, 3), writer="terse", workers=2
            ),
        )
    )
    above = rules(examples, path)
    assert all(abs(share) < 0.05 for share in above.values()), above


def words_of(text):
    return set(re.findall(r"[a-z0-9']+", text.casefold()))


def shared_words(example, titles):
    """Per candidate: the words that the query and its title share, with their number and share."""
    said = words_of(example.said)
    for item in example.candidates:
        title = words_of(titles[item])
        both = said & title
        yield dict.fromkeys(both, 1.0) | {"#": len(both), "%": len(both) / max(1, len(title))}


@pytest.mark.journey
def test_no_words_give_the_gold_away(film_store, tmp_path):
    """A logistic regression on the words that query and titles share, halves swapped."""
    path = tmp_path / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    kinds = tuple(k for k in KINDS if k != "demographics")
    config = SynthConfig(counts={"sft": 2700}, kinds=kinds, levels=(1, 2, 3), workers=2)
    examples = list(synthesise(path, config))
    above = rules(examples, path)
    assert all(abs(share) < 0.05 for share in above.values()), above
    titles = Evidence.load(path).attributes.titles
    features = DictVectorizer().fit_transform(
        [row for example in examples for row in shared_words(example, titles)]
    )
    right = np.array([item in e.gold for e in examples for item in e.candidates])
    half = np.repeat(np.arange(len(examples)) % 2, 6)
    hits = []
    for own in (0, 1):
        model = LogisticRegression(max_iter=500).fit(features[half != own], right[half != own])
        scores = model.decision_function(features[half == own]).reshape(-1, 6)
        picked = right[half == own].reshape(-1, 6)
        hits.append(picked[np.arange(len(scores)), scores.argmax(1)].mean())
    assert abs(np.mean(hits) - 1 / 6) < 0.05
