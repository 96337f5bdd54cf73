"""Whole responses against an oracle written from the formulas with loops over raw tables: no code
shared, 20,000 responses agree to 1e-9.
"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.graphs.attributes import AttributeGraph
from data_engine.store.database import Store
from reward_server.snapshot import Snapshot
from reward_server.wire import Response, Weights
from tests.conftest import example

ITEMS = [f"i{n}" for n in range(1, 13)]
SHARE = st.one_of(st.just(0.0), st.floats(0.01, 2))
GOLDS = {"one": ("i1",), "three": ("i1", "i3", "i7")}


@pytest.fixture(scope="module")
def world(hand_store, tmp_path_factory):
    """A snapshot with one-gold and three-gold Examples and embeddings of ten items; and its raw
    tables.
    """
    path = tmp_path_factory.mktemp("oracle") / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    with Store.open(path) as store:
        graph = AttributeGraph.from_store(store)
        told = {"anchors": ("i5",)}
        made = {
            name: example(graph, tuple(ITEMS[:9]), gold).model_copy(update=told).named()
            for name, gold in GOLDS.items()
        }
        store.replace_examples(list(made.values()))
        vectors = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
        store.save_embeddings(ITEMS[:10], vectors, {})
        edges, titles = (
            store.rows("SELECT item_id, relation, attribute_id FROM edges"),
            dict(store.rows("SELECT item_id, title FROM items")),
        )
    conditions = {name: [(c.relation, c.value) for c in e.conditions] for name, e in made.items()}
    return (
        Snapshot.load(path),
        {name: e.example_id for name, e in made.items()},
        edges,
        titles,
        dict(zip(ITEMS, vectors.tolist(), strict=False)),
        conditions,
    )


def oracle(lines, gold, weights, edges, vectors, conditions):
    """Score of an answer given as item ids (None: no known title), straight from the formulas."""
    ranked = []
    for item in lines:
        if item is not None and item not in ranked:
            ranked.append(item)
    if not ranked:
        return 0.0
    top, of = ranked[: weights.k], lambda item: {(r, a) for i, r, a in edges if i == item}
    right = set(gold)
    if weights.right == "conditions":
        right |= {item for item in ITEMS if item != "i5" and all(c in of(item) for c in conditions)}
    dcg = sum(1 / math.log2(place + 1) for place, item in enumerate(top, 1) if item in right)
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(weights.k, len(right)) + 1))
    parts = []
    if weights.qas_over == "conditions":
        parts.append(
            (
                weights.qas,
                sum(sum(c in of(item) for c in conditions) / len(conditions) for item in top)
                / len(top),
            )
        )
    else:
        parts.append(
            (
                weights.qas,
                sum(max(len(of(item) & of(g)) / len(of(g)) for g in gold) for item in top)
                / len(top),
            )
        )
    known = [item for item in top if item in vectors]
    if known:

        def cosine(a, b):
            dot = sum(x * y for x, y in zip(vectors[a], vectors[b], strict=True))
            return (
                dot
                / math.sqrt(sum(x * x for x in vectors[a]))
                / math.sqrt(sum(x * x for x in vectors[b]))
            )

        parts.append(
            (weights.pas, sum(max(cosine(item, g) for g in gold) for item in known) / len(known))
        )
    present = sum(w for w, _ in parts)
    extra = (weights.qas + weights.pas) / present * sum(w * p for w, p in parts) if present else 0.0
    return dcg / ideal + extra


def write(rng, titles):
    """A response and the items its answer names, None for a title that is no item's."""
    lines, items = [], []
    for _ in range(rng.randint(0, 8)):
        item = rng.choice([*ITEMS, None])
        items.append(item)
        title = titles[item] if item else f"Film {rng.choice('XYZ')} (1999)"
        title = rng.choice([title, title.upper(), title[:-7] if item else title, f"  {title} "])
        lines.append(rng.choice(["", "- ", "1. ", "• "]) + title)
    reasoning = "\n".join(
        f"{titles[rng.choice(ITEMS)]} {rng.choice(['Drama', 'Ann Arden', 'is fine'])}."
        for _ in range(rng.randint(0, 4))
    )
    return f"{reasoning}\n<answer>\n" + "\n".join(lines) + "\n</answer>", items


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32),
    st.builds(
        Weights,
        st.integers(1, 10),
        SHARE,
        SHARE,
        st.floats(0, 1),
        st.sampled_from(["ground_truth", "conditions"]),
        st.sampled_from(["gold", "conditions"]),
    ),
)
def test_whole_scores_agree_with_the_oracle(world, seed, weights):
    snapshot, ids, edges, titles, vectors, conditions = world
    rng = random.Random(seed)
    cases = [(rng.choice(sorted(GOLDS)), *write(rng, titles)) for _ in range(200)]
    scores = snapshot.score([Response(ids[name], text) for name, text, _ in cases], weights)
    for (name, text, items), score in zip(cases, scores, strict=True):
        expected = oracle(items, GOLDS[name], weights, edges, vectors, conditions[name])
        assert abs(score.score - expected) < 1e-9, (text, score, expected)
        assert (
            abs(
                score.ndcg
                - oracle(
                    items,
                    GOLDS[name],
                    Weights(weights.k, right=weights.right),
                    edges,
                    vectors,
                    conditions[name],
                )
            )
            < 1e-9
        )
        assert score.recommended == list(dict.fromkeys(item for item in items if item))
        assert score.unresolved == sum(item is None for item in items)
