"""Verdicts and rewards of segments, by hand and against an oracle that looks at one line alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.responses.claim import Claim
from reward_server.scoring import Parts
from reward_server.segments import AnswerScore, judge_segments

ANSWER = AnswerScore(["i1"], 0, 0, frozenset({"i1", "i2"}), Parts(0.0, None, None), 1.0, 0.25)
LINES = ("one line", "another line", "a third", "<answer>x</answer>")
TEXT = "\n".join(LINES)
SPANS = [(TEXT.index(line), TEXT.index(line) + len(line)) for line in LINES]
PLACES = st.sampled_from([k for start, end in SPANS for k in range(start, end)])


def claim(start, verdict):
    return Claim("fact", start, start + 1, "i3", "genre", "Drama", verdict, True)


def verdict_of_line(line, items, verdicts):
    """By the rules, most serious first."""
    if {"i1", "i2"} & set(items):
        return "wrong_item"
    if "contradicted" in verdicts:
        return "contradicted"
    if "supported" in verdicts or (items and line.startswith("<answer>")):
        return "ok"
    return "unknown"


@given(
    st.lists(st.tuples(PLACES, st.sampled_from(["i1", "i3", "i4"])), max_size=6),
    st.lists(st.tuples(PLACES, st.sampled_from(["supported", "contradicted", "unknown"]))),
)
def test_each_line_is_judged_by_what_stands_in_it(named, stated):
    mentions = [(item, start, start + 1) for start, item in sorted(named)]
    claims = [claim(start, verdict) for start, verdict in sorted(stated)]
    found = judge_segments(TEXT, SPANS, mentions, claims, ANSWER)
    assert [(segment.start, segment.end) for segment in found] == SPANS
    for segment, line in zip(found, LINES, strict=True):
        items = [item for item, at, _ in mentions if segment.start <= at < segment.end]
        inside = [one for one in claims if segment.start <= one.start < segment.end]
        assert segment.mentions == list(dict.fromkeys(items))
        assert segment.claims == inside
        assert segment.verdict == verdict_of_line(line, items, [one.verdict for one in inside])
        assert segment.reward == (0.25 if segment.verdict == "wrong_item" else 1.0)


@pytest.mark.parametrize("verdict", ["supported", "contradicted", "unknown"])
def test_a_claim_in_the_last_character_of_a_line_is_of_that_line(verdict):
    first, second = SPANS[:2]
    found = judge_segments(TEXT, SPANS[:2], [], [claim(first[1] - 1, verdict)], ANSWER)
    assert [len(segment.claims) for segment in found] == [1, 0]
    found = judge_segments(TEXT, SPANS[:2], [], [claim(second[0], verdict)], ANSWER)
    assert [len(segment.claims) for segment in found] == [0, 1]


def test_a_line_without_names_and_claims_says_nothing():
    (found,) = judge_segments("prose", [(0, 5)], [], [], ANSWER)
    assert (found.mentions, found.verdict, found.reward, found.claims) == ([], "unknown", 1.0, [])
