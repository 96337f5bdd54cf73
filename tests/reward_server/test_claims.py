"""Claims with their places, their judgement and their bearing on the query, on the hand-made
films.
"""

from collections import Counter

import pytest

from data_engine.graphs.attributes import AttributeGraph
from data_engine.store.database import Store
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response
from tests.conftest import example


@pytest.fixture
def claims(snapshot):
    """claims(text), for the Example that asks for a drama with Sue Stone."""
    (example,) = snapshot.targets

    def of(text, *kinds):
        (score,) = snapshot.score([Response(example, text)], PROFILES["rerec"])
        return [
            claim
            for segment in score.segments
            for claim in segment.claims
            if claim.kind in (kinds or ("fact",))
        ]

    return of


@pytest.mark.parametrize(
    ("text", "stated", "subject", "relation", "value", "verdict", "relevant"),
    [
        ("Film A stars Sue Stone.", "Sue Stone", "i1", "starring", "s1", "supported", True),
        ("Film A (1981) is a Drama.", "Drama", "i1", "genre", "Drama", "supported", True),
        ("Film B is a Drama.", "Drama", "i2", "genre", "Drama", "contradicted", True),
        ("Film A director Ann Arden", "Ann Arden", "i1", "director", "d1", "supported", False),
        (
            "Film A was directed by Bo Berg",
            "Bo Berg",
            "i1",
            "director",
            "d2",
            "contradicted",
            False,
        ),
        ("Film I music Max Muse", "Max Muse", "i9", "composer", "c1", "contradicted", False),
        ("Film I stars Tim Tate", "Tim Tate", "i9", "starring", "s2", "supported", True),
    ],
)
def test_a_claim_says_where_of_whom_and_whether_it_matters(
    claims, text, stated, subject, relation, value, verdict, relevant
):
    (claim,) = claims(text)
    assert text[claim.start : claim.end] == stated
    assert (claim.subject, claim.relation, claim.value, claim.verdict, claim.relevant) == (
        subject,
        relation,
        value,
        verdict,
        relevant,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Film A is not by Bo Berg",
        "Bo Berg made Film A",
        "Film A. Bo Berg made others.",
        "film a stars Sue Stone",
        "Sue Stone",
    ],
)
def test_negated_or_unattached_names_claim_nothing(claims, text):
    assert claims(text) == []


def test_each_item_gets_its_own_claims_in_order(claims):
    text = "Film A Ann Arden and Sue Stone, Film I Cy Cole"
    assert [(text[c.start : c.end], c.subject, c.verdict) for c in claims(text)] == [
        ("Ann Arden", "i1", "supported"),
        ("Sue Stone", "i1", "supported"),
        ("Cy Cole", "i9", "supported"),
    ]


@pytest.mark.parametrize(
    ("text", "verdict", "value"),
    [
        ("Film A and Film B share their director.", "supported", "d1"),
        ("Film A and Film I share their director.", "contradicted", ""),
        ("Film A and Film I have the same genre.", "supported", "Drama"),
    ],
)
def test_what_two_items_share_is_a_claim_about_both(claims, text, verdict, value):
    found = claims(text)
    assert [c.subject for c in found] == ["i1", "i2" if "Film B" in text else "i9"]
    assert {(c.verdict, c.value) for c in found} == {(verdict, value)}


def test_not_sharing_and_no_relation_claim_nothing(claims):
    assert (
        claims("Film A and Film B do not share their director.")
        == claims("Film A and Film B share a mood.")
        == []
    )


def test_scores_without_claims_are_the_same_scores(snapshot):
    (example,) = snapshot.targets
    ask = [Response(example, "Film A director Bo Berg\n<answer>Film A</answer>")]
    (full,), (bare,) = (
        snapshot.score(ask, PROFILES["rerec"], claims=wanted) for wanted in (True, False)
    )
    assert full.score == bare.score and full.recommended == bare.recommended
    assert (
        full.segments[0].verdict == "contradicted"
        and bare.segments[0].verdict == "unknown"
        and not bare.segments[0].claims
    )


@pytest.mark.parametrize(
    ("text", "stated", "value", "verdict", "relevant"),
    [
        ("Need star Sue Stone.", "Sue Stone", "s1", "supported", True),
        ("Need director Ann Arden.", "Ann Arden", "d1", "contradicted", False),
        ("The user wants a Comedy", "Comedy", "Comedy", "contradicted", True),
    ],
)
def test_what_is_said_to_be_needed_is_held_against_the_query(
    claims, text, stated, value, verdict, relevant
):
    (claim,) = claims(text, "need")
    assert (
        text[claim.start : claim.end],
        claim.subject,
        claim.value,
        claim.verdict,
        claim.relevant,
    ) == (stated, "", value, verdict, relevant)


def test_a_need_after_a_hop_is_one_too_and_in_a_line_that_names_an_item_it_is_not(claims):
    """Conditions: star Sue Stone and genre Drama."""
    hop = "Film A star Sue Stone, Film C star Sue Stone.\nNeed star Tim Tate.\nFilm A needs Comedy"
    assert [(c.start, c.value, c.verdict) for c in claims(hop, "need")] == [
        (hop.index("Tim"), "s2", "contradicted")
    ]


@pytest.mark.parametrize(
    ("text", "verdict", "value", "at"),
    [
        ("Need star Sue Stone and genre Drama.", "supported", "", " and genre Drama."),
        ("Need star Sue Stone.\nFilm A Sue Stone yes keep", "contradicted", "Drama", "."),
        ("Need genre Drama only, it seems.", "contradicted", "s1", " only, it seems."),
        ("Need star Sue Stone.\nNeed genre Drama.", "supported", "", "."),
        (
            "Film A and Film C.\nNeed genre Comedy and star Sue Stone .",
            "contradicted",
            "Drama",
            " .",
        ),
    ],
)
def test_a_need_that_is_left_out_is_found_where_the_list_ends(claims, text, verdict, value, at):
    (claim,) = claims(text, "needs")
    assert (claim.verdict, claim.value, text[claim.start : claim.end], claim.relevant) == (
        verdict,
        value,
        at,
        True,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Need star Sue Stone",
        "The user wants star Sue Stone.",
        "Film A needs Drama.",
        "Need something.",
    ],
)
def test_where_nothing_ends_a_list_of_needs_nothing_is_said_of_the_whole(claims, text):
    assert claims(text, "needs") == []


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("Film A Drama yes, Sue Stone yes", ["supported", "supported"]),
        ("Film B Comedy no", ["supported"]),
        ("Film B Comedy yes", ["contradicted"]),
        ("Film A Drama no, Sue Stone yes", ["contradicted", "supported"]),
        ("Film A Drama, Sue Stone", []),
        ("Film I Tim Tate no", ["supported"]),
        ("Film A Ann Arden no", ["supported"]),  # nobody asked for a director
    ],
)
def test_yes_and_no_are_held_against_the_query(claims, text, verdicts):
    found = claims(text, "match")
    assert [c.verdict for c in found] == verdicts and all(
        text[c.start : c.end] in ("yes", "no") for c in found
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Film E Sue Stone yes", [("supported", True), ("supported", True)]),
        ("Film E Tim Tate no", [("supported", False), ("contradicted", True)]),
        ("Film E Tim Tate yes", [("supported", False), ("contradicted", True)]),
        ("Film I Tim Tate no", [("supported", True), ("supported", True)]),
    ],
)
def test_of_two_stars_the_one_that_is_asked_for_decides(hand_store, tmp_path, text, told):
    path = tmp_path / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    with Store.open(path) as store:
        store.replace_examples(
            [example(AttributeGraph.from_store(store), candidates=("i5", "i2", "i9"), gold=("i5",))]
        )  # i5 stars both
    snapshot = Snapshot.load(path)
    (name,) = snapshot.targets
    (score,) = snapshot.score([Response(name, text)], PROFILES["rerec"])
    assert [(c.verdict, c.relevant) for c in score.segments[0].claims] == told


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Film A keep", "supported"),
        ("Film A skip", "contradicted"),
        ("Film B so skip it", "supported"),
        ("Film B keep", "contradicted"),
    ],
)
def test_keep_and_skip_are_held_against_the_conditions(claims, text, verdict):
    (claim,) = claims(text, "decision")
    assert claim.verdict == verdict and text[claim.start : claim.end] == claim.value in (
        "keep",
        "skip",
    )


def test_the_judge_agrees_with_the_labels_of_the_chains(film_store):
    """No claim of a gold chain is contradicted or beside the point; nearly every wrong step about
    an item or a premise is contradicted, and every need that is wrong or not all.
    """
    snapshot, seen, found = Snapshot.load(film_store), Counter(), Counter()
    with Store.open(film_store, read_only=True) as store:
        for e in store.examples():
            for chain in e.chains:
                for step in chain.steps:
                    (score,) = snapshot.score(
                        [Response(e.example_id, step.text)], PROFILES["rerec"]
                    )
                    kind = "gold" if not chain.flaw else f"{step.label} {step.role}"
                    seen[kind] += 1
                    claims = [c for segment in score.segments for c in segment.claims]
                    found[kind] += any(
                        c.verdict == "contradicted" or (not chain.flaw and c.relevant is False)
                        for c in claims
                    )
    assert seen["gold"] > 1000 and found["gold"] == 0
    assert (
        seen["wrong candidate"] > 100 and found["wrong candidate"] > 0.95 * seen["wrong candidate"]
    )
    assert found["wrong premise"] == seen["wrong premise"] > 10
    assert found["wrong need"] == seen["wrong need"] > 100
    assert (
        found["correct candidate"] < 0.02 * seen["correct candidate"]
    )  # a wrong need that the gold happens to meet


def test_an_attribute_called_no_or_keep_is_still_only_a_word(hand_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(hand_store.read_bytes())
    with Store.open(path) as store:
        with store.transaction():
            store.db.execute("UPDATE attributes SET name = 'No!' WHERE attribute_id = 'd2'")
            store.db.execute("UPDATE attributes SET name = 'Keep' WHERE attribute_id = 'd3'")
            store.drop_derived()
        store.replace_examples([example(AttributeGraph.from_store(store))])
    snapshot = Snapshot.load(path)
    (name,) = snapshot.targets
    (score,) = snapshot.score(
        [Response(name, "Film A Ann Arden No! Keep\nNo! Keep Film E")], PROFILES["rerec"]
    )
    assert [c.kind for segment in score.segments for c in segment.claims] == [
        "fact",
        "match",
    ]  # the "!" ends the sentence
