"""Reading responses: segments, answers, claims, and what a whole response scores on the hand-made
world.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.responses.reading import read
from reward_server.errors import UnknownExamples
from reward_server.scoring import PROFILES
from reward_server.wire import Response


def test_segments_are_lines_and_the_answer_block():
    text = " First step.\n\n  A line\n another\n <answer>\nFilm A\n</answer>\n"
    reading = read(text)
    assert [text[a:b] for a, b in reading.spans] == [
        "First step.",
        "A line",
        "another",
        "<answer>\nFilm A\n</answer>",
    ]
    assert reading.titles == ["Film A"] and reading.status == "ok"


@pytest.mark.parametrize(
    ("text", "status", "titles"),
    [
        ("no tags", "no_answer", []),
        ("<answer></answer>", "no_answer", []),
        ("<answer>Film A", "malformed", []),
        ("Film A</answer>", "malformed", []),
        ("<answer>A</answer><answer>B</answer>", "malformed", []),
        ("</answer>A<answer>", "malformed", []),
        ("<answer>1. Film A\n- Film B\n3) Film C</answer>", "ok", ["Film A", "Film B", "Film C"]),
        ("<answer>2001: A Space Odyssey</answer>", "ok", ["2001: A Space Odyssey"]),
    ],
)
def test_answers_are_read_or_named(text, status, titles):
    reading = read(text)
    assert (reading.status, reading.titles) == (status, titles)


@given(st.text(alphabet="ab \n<answer>/", max_size=80))
def test_spans_lie_in_the_text_in_order_and_hold_all_of_it(text):
    spans = read(text).spans
    assert all(a < b for a, b in spans) and all(
        x[1] <= y[0] for x, y in zip(spans, spans[1:], strict=False)
    )
    covered = set().union(*(range(a, b) for a, b in spans)) if spans else set()
    assert all(text[k].isspace() for k in range(len(text)) if k not in covered)


@pytest.mark.parametrize(
    ("text", "status", "titles"),
    [
        ("<think>\nso\n</think>\n<answer>A</answer>", "ok", ["A"]),
        ("<think><answer>A</answer></think><answer>B</answer>", "ok", ["B"]),
        ("<think>is <answer> the tag?</think><answer>B</answer>", "ok", ["B"]),
        (
            "so <answer>A</answer></think>\n<answer>B</answer>",
            "ok",
            ["B"],
        ),  # the prompt ended with <think>
        ("<think>a</think> b <think>c</think><answer>B</answer>", "ok", ["B"]),
        ("<think>a</think><answer>B</answer></think>", "ok", ["B"]),
        ("<think><answer>A</answer></think>", "no_answer", []),
        ("<think>so <answer>A</answer>", "no_answer", []),
        ("<think>a</think><think>b <answer>A</answer>", "no_answer", []),
        ("<answer>A</answer></think>", "no_answer", []),
        ("<answer>A</answer><think>or", "no_answer", []),
        ("<answer>A<think>or</think>B</answer>", "no_answer", []),
        ("<answer>A</answer><think>or</think><answer>B</answer>", "malformed", []),
        ("<think>a</think><answer>B", "malformed", []),
    ],
)
def test_fault_13_an_answer_is_given_after_the_last_thought(text, status, titles):
    reading = read(text)
    assert (reading.status, reading.titles) == (status, titles)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("<think>\nA line\n</think>\n\n<answer>B</answer>", ["A line", "<answer>B</answer>"]),
        (
            " <think> A line </think>after\n<answer>B</answer>",
            ["A line", "after", "<answer>B</answer>"],
        ),
        ("one</think>two<answer>B</answer>", ["one", "two", "<answer>B</answer>"]),
        ("<think><answer>\nA\n</answer></think>", ["<answer>", "A", "</answer>"]),
        ("<think>", []),
    ],
)
def test_fault_13_think_tags_are_no_segments(text, segments):
    assert [text[a:b] for a, b in read(text).spans] == segments


def test_fault_13_a_thought_is_judged_as_any_reasoning(scored):
    """The same lines with and without tags: the same verdicts, rewards and claims, each at its own
    characters.
    """
    lines = (
        "Need star Sue Stone, genre Drama.\nFilm A (1981) director Ann Arden keep\nFilm B "
        "director Cy Cole"
    )
    bare, answer = scored(f"{lines}\n<answer>Film A</answer>"), "<answer>Film A</answer>"
    for text in (
        f"<think>{lines}</think>{answer}",
        f"<think>\n{lines}\n</think>\n\n{answer}",
        f"{lines}</think> {answer}",
    ):
        found = scored(text)
        assert (found.status, found.score, found.ndcg) == ("ok", bare.score, 1.0)
        assert [(s.verdict, s.reward, s.mentions) for s in found.segments] == [
            (s.verdict, s.reward, s.mentions) for s in bare.segments
        ]
        assert [s.verdict for s in found.segments] == ["ok", "ok", "contradicted", "ok"]
        assert [text[s.start : s.end] for s in found.segments] == [*lines.split("\n"), answer]
        claims = [
            [(c.kind, c.subject, c.value, c.verdict) for c in s.claims] for s in found.segments
        ]
        assert claims == [
            [(c.kind, c.subject, c.value, c.verdict) for c in s.claims] for s in bare.segments
        ]
        named = [
            text[c.start : c.end]
            for s in found.segments
            for c in s.claims
            if c.kind in ("need", "fact")
        ]
        assert named == ["Sue Stone", "Drama", "Ann Arden", "Cy Cole"]


def test_fault_13_what_is_answered_in_thought_earns_and_costs_nothing(scored):
    assert scored("<think><answer>Film A</answer></think>").status == "no_answer"
    right = scored("<think>\n<answer>Film I</answer>\n</think>\n<answer>Film A</answer>")
    assert (right.status, right.score, right.recommended) == ("ok", 1.5, ["i1"])
    assert (
        scored("<think>\n<answer>Film A</answer>\n</think>\n<answer>Film I</answer>", "ndcg").score
        == 0
    )


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "a", "\n", " "]),
        max_size=12,
    ).map("".join)
)
def test_fault_13_spans_hold_all_but_the_tags(text):
    spans = read(text).spans
    assert all(a < b for a, b in spans) and all(
        x[1] <= y[0] for x, y in zip(spans, spans[1:], strict=False)
    )
    rest = "".join(c for k, c in enumerate(text) if not any(a <= k < b for a, b in spans))
    assert not re.sub("</?think>", "", rest).strip()


def test_a_right_answer_scores_its_parts(scored):
    score = scored("Need star Sue Stone.\n<answer>Film A (1981)</answer>")
    assert (score.status, score.ndcg, score.qas, score.pas, score.score) == (
        "ok",
        1.0,
        1.0,
        None,
        1.5,
    )
    assert score.recommended == ["i1"]


def test_a_wrong_answer_loses_on_the_segments_that_led_to_it(scored):
    """Film B shares director, star and composer with Film A: QAS 3/4, r = .5 · .75."""
    text = "Film A (1981) Drama yes skip\nFilm B (1982) Comedy keep\n<answer>Film B (1982)</answer>"
    score = scored(text)
    assert score.score == pytest.approx(0.375)
    assert [s.verdict for s in score.segments] == [
        "contradicted",
        "wrong_item",
        "wrong_item",
    ]  # it skips the right one
    assert [s.reward for s in score.segments] == pytest.approx([0.375, 0.1875, 0.1875])
    assert text[score.segments[1].start : score.segments[1].end] == "Film B (1982) Comedy keep"
    assert score.segments[1].mentions == ["i2"]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("Film A director Ann Arden", "ok"),
        ("Film A director Bo Berg", "contradicted"),
        ("Film A is by director Cy Cole.", "contradicted"),
        ("Film A has star Tim Tate", "contradicted"),
        ("Film A is not by Bo Berg", "unknown"),
        ("a fine evening", "unknown"),
        ("Film A. Bo Berg made others.", "unknown"),
        ("Film A Ann Arden, Film I Cy Cole", "ok"),
    ],
)
def test_claims_are_held_against_the_graph(scored, line, verdict):
    assert scored(f"{line}\n<answer>Film A</answer>").segments[0].verdict == verdict


def test_listing_everything_never_beats_the_right_short_answer(scored):
    everything = scored(
        "<answer>" + "\n".join(f"Film {chr(64 + n)}" for n in range(1, 13)) + "</answer>"
    )
    assert everything.score <= scored("<answer>Film A</answer>").score
    assert scored("<answer>Film B\nFilm A</answer>").score < scored("<answer>Film A</answer>").score


def test_naming_gold_in_the_reasoning_earns_nothing(scored):
    assert scored("Film A! Film A!\n<answer>Film I</answer>", "ndcg").score == 0


def test_unknown_example_ids_are_refused_before_anything_is_scored(snapshot):
    with pytest.raises(UnknownExamples, match="nope"):
        snapshot.score([Response(example_id="nope", response="")], PROFILES["rerec"])
