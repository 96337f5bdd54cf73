"""Chains in sentences: the words of hand-made chains, and what a reader of claims makes of them."""

from collections import Counter

import pytest

from agents.synthesis.config import SynthConfig
from agents.synthesis.run import synthesise
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.responses.telling import listed, plural, told, with_article
from data_engine.schema import Chain, Claim, Step
from data_engine.store.database import Store
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.conftest import example

KINDS = (
    "explicit",
    "implicit",
    "misinformed",
    "interest",
    "negation",
    "numeric",
    "comparison",
    "conversation",
    "tools",
)  # the invented world has no users' attributes: no demographics


@pytest.fixture(scope="module")
def hand(hand_store):
    with Store.open(hand_store, read_only=True) as store:
        return AttributeGraph.from_store(store)


def candidate(*claims):
    return Step(role="candidate", text="", claims=claims, label="correct")


def fact(relation, value, holds=True):
    return Claim(kind="fact", subject="i1", relation=relation, value=value, holds=holds)


def words(hand, step, seed=0):
    return told(example(hand), Chain(steps=(step,), answer="i1"), hand.titles, hand.names, seed)[0]


def test_a_candidate_is_told_in_many_ways_and_each_says_the_same(hand):
    step = candidate(
        fact("starring", "s1"),
        fact("director", "d2"),
        fact("director", "d1", holds=False),
        Claim(kind="keep", subject="i1", holds=False),
    )
    found = {words(hand, step, seed) for seed in range(60)}
    assert len(found) > 30
    for text in found:
        assert text.startswith(("Film A", "Sue Stone stars in", "Bo Berg directed"))
        assert text.endswith(".") and text.count("Bo Berg") == text.count("Ann Arden") == 1
        assert ", not Ann Arden" in text or "rather than Ann Arden" in text


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Haunting, The (1999)", {"The Haunting (1999)", "The Haunting"}),
        (
            "Life Is Beautiful (La Vita bella) (1997)",
            {"Life Is Beautiful (1997)", "Life Is Beautiful"},
        ),
        ("What About Bob? (1991)", {"What About Bob? (1991)"}),  # the mark would end the sentence
        ("Escape from L.A. (1996)", {"Escape from L.A. (1996)"}),
    ],
)
def test_titles_stand_as_people_write_them(hand, title, said):
    titles = hand.titles | {"i1": title}
    chain = Chain(steps=(candidate(fact("director", "d1")),), answer="i1")
    found = {told(example(hand), chain, titles, hand.names, seed)[0] for seed in range(40)}
    assert {name for name in said if any(name in text for text in found)} == said
    assert all(any(name in text for name in said) for text in found)


def test_the_same_seed_gives_the_same_words(hand):
    step = candidate(fact("genre", "Drama"), Claim(kind="keep", subject="i1"))
    assert words(hand, step, 7) == words(hand, step, 7)


def test_any_relation_can_be_read(hand):
    step = candidate(fact("book_series", "s1"), Claim(kind="keep", subject="i1"))
    found = {words(hand, step, seed).split(", ")[-2 if seed else 0] for seed in range(20)}
    assert any("'s book series is Sue Stone" in text for text in found)


def test_articles_plurals_and_lists():
    assert with_article("action film") == "an action film" and with_article("war film")[:2] == "a "
    assert plural("comedy") == "comedies" and plural("film") == "films"
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c"


@pytest.fixture(scope="module")
def store(film_store, tmp_path_factory):
    """The invented films with Examples of every kind that they can carry."""
    path = tmp_path_factory.mktemp("told") / "films.duckdb"
    path.write_bytes(film_store.read_bytes())
    config = SynthConfig(counts={"sft": 90}, seed=8, kinds=KINDS, workers=1, writer="terse")
    made = synthesise(path, config)
    with Store.open(path) as opened:
        opened.replace_examples(made)
    return path


def claimed(step, names):
    """The claims of a step as a reader should find them: numbers are no names, and a premise that
    is seen through is reported, not denied.
    """
    found = Counter()
    for claim in step.claims:
        if names.get(claim.value, claim.value).isdigit():
            continue
        if claim.kind == "need":
            found["need", "", claim.value] += 1
        elif claim.kind == "keep":
            found["decision", claim.subject, "keep" if claim.holds else "skip"] += 1
        elif claim.holds or step.role != "premise":
            found["fact" if claim.holds else "lack", claim.subject, claim.value] += 1
    return found


def test_sentences_say_the_claims_of_their_steps_and_the_judge_agrees_with_the_labels(store):
    """Every chain, gold and flawed, of every kind. No claim of a gold chain is contradicted or
    beside the point, no claim of a right step contradicted; every wrong step about items or a
    premise is contradicted, and every need that is wrong by more than a number.
    """
    evidence, snapshot = Evidence.load(store), Snapshot.load(store)
    names, titles = evidence.attributes.names, evidence.attributes.titles
    seen = Counter()
    with Store.open(store, read_only=True) as opened:
        examples = opened.examples()
    for e in examples:
        bounded = any(c.op in ("below", "above") for c in e.conditions)
        for chain in e.chains:
            for step, text in zip(chain.steps, told(e, chain, titles, names), strict=True):
                (score,) = snapshot.score([Response(e.example_id, text)], PROFILES["rerec"])
                claims = [c for segment in score.segments for c in segment.claims]
                read = Counter((c.kind, c.subject, c.value) for c in claims if c.kind != "needs")
                assert read == claimed(step, names), text
                wrong = any(c.verdict == "contradicted" for c in claims)
                if not chain.flaw:
                    assert not wrong and all(c.relevant is not False for c in claims), text
                elif step.label == "correct":
                    assert not wrong, text
                elif not bounded:
                    assert wrong, text
                seen[chain.flaw == "", step.label, step.role, e.kind] += 1
    assert {kind for *_, kind in seen} == set(KINDS) and sum(seen.values()) > 1500
    assert {role for _, label, role, _ in seen if label == "wrong"} == {
        "candidate",
        "need",
        "premise",
    }
