"""The curriculum's plan, by hand and under resume; characters to tokens for any tokenizer."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import Qwen2Tokenizer

from train.algorithms.spans import decoder, token_spans, tokens_within
from train.rft.curriculum import Curriculum, CurriculumConfig
from train.sft.tokenizer import tokenizer_of


def run_epochs(curriculum, skill, batches):
    """Observe `batches` batches; a query's NDCG is skill[query]."""
    handed = []
    while batches:
        plan = curriculum.plan[curriculum.done :] or curriculum.next_plan()
        if not plan:
            break
        batch = plan[: curriculum.batch]
        curriculum.observe([(q, skill[q]) for q in batch for _ in range(2)])
        handed += batch
        batches -= 1
    return handed


def test_a_plan_is_easy_to_hard_by_prior_then_by_what_was_seen():
    c = Curriculum([0.9, 0.1, 0.5, 0.3], 2, CurriculumConfig(recheck=99))
    assert c.next_plan() == [1, 3, 2, 0]
    c.observe([(1, 0.2), (1, 0.4), (3, 0.5), (3, 0.5)])
    assert c.difficulty(1) == pytest.approx(0.7) and c.difficulty(0) == 0.9
    c.observe([(2, 0.5), (0, 0.9)])
    assert c.next_plan()[0] == 0 and c.next_plan()[-1] == 1


def test_the_mastered_are_dropped_and_checked_again_every_m_epochs():
    c = Curriculum([0.5] * 4, 2, CurriculumConfig(tau=0.1, recheck=3))
    for expected in ({0, 1, 2, 3}, {0, 1}, {0, 1, 2, 3}, {0, 1}):
        plan = c.next_plan()
        assert set(plan) == expected and len(plan) % 2 == 0
        c.observe([(q, 1.0 if q > 1 else 0.2) for q in plan])


def test_forgetting_brings_a_query_back():
    c = Curriculum([0.5] * 2, 1, CurriculumConfig(tau=0.1, recheck=2))
    c.next_plan()
    c.observe([(0, 1.0), (1, 0.0)])
    assert c.next_plan() == [0, 1]  # epoch 2: the check
    c.observe([(0, 0.0), (1, 0.0)])
    assert set(c.next_plan()) == {0, 1}


def test_when_all_is_mastered_there_is_no_plan():
    c = Curriculum([0.5] * 2, 2, CurriculumConfig(tau=0.1))
    c.next_plan()
    c.observe([(0, 1.0), (1, 1.0)])
    assert c.next_plan() == []


@given(st.integers(3, 20), st.integers(2, 3), st.integers(0, 99))
def test_a_plan_is_whole_batches_and_leaves_no_live_query_out(n, batch, seed):
    rng = random.Random(seed)
    c = Curriculum(
        [rng.random() for _ in range(n)], batch, CurriculumConfig(tau=0.2, recheck=4, seed=seed)
    )
    for _ in range(6):
        live = {q for q in range(n) if not c.mastered(q)}
        plan = c.next_plan()
        if not plan:
            assert not live
            break
        assert len(plan) % batch == 0 and live <= set(plan)
        c.observe([(q, rng.random()) for q in plan])


@given(st.integers(4, 16), st.integers(0, 99), st.integers(1, 8))
def test_a_resume_hands_out_the_same_queries_as_an_unbroken_run(n, seed, cut):
    rng = random.Random(seed)
    skill, priors = [rng.random() for _ in range(n)], [rng.random() for _ in range(n)]
    config = CurriculumConfig(tau=0.3, recheck=3, seed=seed)
    unbroken = run_epochs(Curriculum(priors, 2, config), skill, 12)
    first = Curriculum(priors, 2, config)
    handed = run_epochs(first, skill, cut)
    second = Curriculum(priors, 2, config)
    second.restore(first.state())
    assert handed + run_epochs(second, skill, 12 - cut) == unbroken


def test_a_checkpoint_of_other_data_is_refused():
    c = Curriculum([0.5] * 4, 2, CurriculumConfig())
    with pytest.raises(ValueError, match="4 queries, this run has 6"):
        Curriculum([0.5] * 6, 2, CurriculumConfig()).restore(c.state())


@pytest.mark.parametrize(
    ("steps", "batch", "passes", "queries"),
    [(30, 8, 3, 80), (10, 3, 4, 7), (1, 8, 3, 8), (9, 2, 1, 18)],
)
def test_a_run_learns_from_as_many_queries_as_it_has_time_to_ask(steps, batch, passes, queries):
    """Steps · batch / passes, rounded down, but never less than a batch."""
    assert CurriculumConfig(passes=passes).affordable(steps, batch) == queries


def test_fewer_queries_than_a_batch_are_refused():
    with pytest.raises(ValueError, match="1 queries are fewer than one batch of 2"):
        Curriculum([0.5], 2, CurriculumConfig())
    assert Curriculum([0.5, 0.5], 2, CurriculumConfig()).plan == []


def test_a_difficulty_of_just_tau_is_not_mastered():
    c = Curriculum([0.9, 0.9], 1, CurriculumConfig(tau=0.25))
    c.observe([(0, 0.75), (1, 0.875)])
    assert (c.difficulty(0), c.mastered(0), c.mastered(1)) == (0.25, False, True)


def test_the_state_counts_epochs_and_queries_done_up_to_the_end_of_the_plan():
    c = Curriculum([0.5] * 4, 2, CurriculumConfig(tau=0.1))
    assert c.state() == {"epoch": 0, "plan": [], "done": 0, "seen": [None] * 4}
    first = c.next_plan()
    assert c.state() == {"epoch": 1, "plan": first, "done": 0, "seen": [None] * 4}
    for done in (2, 4, 4):
        c.observe([(q, 1.0) for q in range(4)])
        assert c.state()["done"] == done
    assert c.next_plan() == []
    assert c.state() == {"epoch": 1, "plan": [], "done": 0, "seen": [0.0] * 4}


def test_a_plan_of_less_than_a_batch_is_filled_with_other_queries():
    """Three of five are mastered: the batch of four needs two of them, at the front."""
    c = Curriculum([0.5] * 5, 4, CurriculumConfig(tau=0.1, recheck=99))
    c.observe([(q, 1.0 if q < 3 else 0.2) for q in range(5)])
    plan = c.next_plan()
    assert len(set(plan)) == len(plan) == 4 and set(plan[2:]) == {3, 4}


BYTES = tokenizer_of([" Heat (1995)", " Café", "\n", " yes"])


@given(
    st.text(alphabet="ab é€😀\n Heat(1995)", max_size=30), st.integers(0, 30), st.integers(0, 30)
)
def test_token_spans_tile_the_text_for_byte_level_tokens(text, start, length):
    ids = BYTES(text)["input_ids"]
    decoded, spans = token_spans(
        ids, lambda part: BYTES.decode(list(part), skip_special_tokens=True)
    )
    assert decoded == text and len(spans) == len(ids)
    assert "".join(text[a:b] for a, b in spans) == text
    assert tokens_within(spans, start, start + length) == [
        k for k, (a, b) in enumerate(spans) if a < start + length and b > start
    ]


def test_a_segment_takes_the_tokens_that_hold_its_characters():
    text = " Heat (1995) yes\n 😀 no"
    _, spans = token_spans(
        BYTES(text)["input_ids"], lambda part: BYTES.decode(list(part), skip_special_tokens=True)
    )
    line = text.index("\n")
    hit = tokens_within(spans, 1, line)
    assert isinstance(BYTES, Qwen2Tokenizer) and hit == [0, 1]
    emoji = text.index("😀")
    assert "".join(text[slice(*spans[k])] for k in tokens_within(spans, emoji, emoji + 1)) == "😀"


@pytest.mark.parametrize("count", [1, 4, 5, 40])
def test_a_decoder_gives_the_text_without_special_tokens_and_remembers_short_ones(count):
    asked = []

    class Words:
        def decode(self, ids, *, skip_special_tokens):
            asked.append(ids)
            return " ".join(f"w{n}" for n in ids if n or not skip_special_tokens)

    decode = decoder(Words())
    ids = tuple(range(count))
    expected = " ".join(f"w{n}" for n in range(1, count))
    assert decode(ids) == decode(ids) == expected
    assert asked == ([list(ids)] if count <= 4 else [list(ids)] * 2)
