"""The curriculum's plan, by hand and under resume; characters to tokens for any tokenizer."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import Qwen2Tokenizer

from train.curriculum import Curriculum, CurriculumConfig
from train.spans import spread, token_spans
from train.tiny import _tokenizer


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
    c = Curriculum([rng.random() for _ in range(n)], batch, CurriculumConfig(tau=0.2, recheck=4, seed=seed))
    for _ in range(6):
        live = {q for q in range(n) if not c.mastered(q)}
        plan = c.next_plan()
        if not plan:
            assert not live
            break
        assert len(plan) % batch == 0 and live <= set(plan)
        c.observe([(q, rng.random()) for q in plan])


@given(st.integers(4, 16), st.integers(0, 99), st.integers(1, 8), st.sampled_from([None, 1, 2]))
def test_a_resume_hands_out_the_same_queries_as_an_unbroken_run(n, seed, cut, ahead):
    rng = random.Random(seed)
    skill, priors, like = [rng.random() for _ in range(n)], [rng.random() for _ in range(n)], [f"kind {k % 3}" for k in range(n)]
    config = CurriculumConfig(tau=0.3, recheck=3, ahead=ahead, seed=seed)
    unbroken = run_epochs(Curriculum(priors, 2, config, like), skill, 12)
    first = Curriculum(priors, 2, config, like)
    handed = run_epochs(first, skill, cut)
    second = Curriculum(priors, 2, config, like)
    second.restore(first.state())
    assert handed + run_epochs(second, skill, 12 - cut) == unbroken


def test_a_query_never_rolled_out_is_as_difficult_as_those_like_it():
    c = Curriculum([0.9, 0.9, 0.9, 0.4], 1, CurriculumConfig(), ["hop", "hop", "hop", "wish"])
    c.next_plan()
    c.observe([(0, 0.5), (0, 0.7)])
    c.observe([(1, 1.0), (1, 0.8)])
    assert c.difficulty(2) == pytest.approx((0.4 + 0.1) / 2) and c.difficulty(3) == 0.4


@pytest.mark.parametrize(("lacks", "share"), [(0.5, 0.25 / (0.25 + 0.0475)), (1.0, 0.5)])
def test_drawn_plans_ask_most_where_right_and_wrong_are_mixed_and_still_check_the_mastered(lacks, share):
    n = 4000  # half of one kind, all mastered (tau .05: .05 · .95 = .0475), half of another: d(1 − d) decides, as little at 1 as at 0
    c = Curriculum([0.5] * n, 20, CurriculumConfig(ahead=2, seed=1), ["known", "new"] * (n // 2))
    c.next_plan()
    c.observe([(q, 1.0 if q % 2 == 0 else 1.0 - lacks) for q in range(40)])
    drawn = []
    for _ in range(30):
        plan = c.next_plan()
        assert len(plan) == len(set(plan)) == 40
        drawn += plan
    assert sum(q % 2 for q in drawn) / len(drawn) == pytest.approx(share, abs=0.05)  # 1,200 draws: ± .05 is three standard errors


def test_a_drawn_plan_of_few_queries_is_whole_batches():
    plan = Curriculum([0.5] * 5, 2, CurriculumConfig(ahead=9)).next_plan()
    assert len(plan) == len(set(plan)) == 4


def test_a_checkpoint_of_other_data_is_refused():
    c = Curriculum([0.5] * 4, 2, CurriculumConfig())
    with pytest.raises(ValueError, match="4 queries, this run has 6"):
        Curriculum([0.5] * 6, 2, CurriculumConfig()).restore(c.state())


BYTES = _tokenizer([" Heat (1995)", " Café", "\n", " yes"])


@given(st.text(alphabet="ab é€😀\n Heat(1995)", max_size=30))
def test_token_spans_tile_the_text_for_byte_level_tokens(text):
    ids = BYTES(text)["input_ids"]
    decoded, spans = token_spans(ids, lambda part: BYTES.decode(list(part), skip_special_tokens=True))
    assert decoded == text and len(spans) == len(ids)
    assert "".join(text[a:b] for a, b in spans) == text


def test_a_segment_takes_the_tokens_that_hold_its_characters():
    text = " Heat (1995) yes\n 😀 no"
    _, spans = token_spans(BYTES(text)["input_ids"], lambda part: BYTES.decode(list(part), skip_special_tokens=True))
    line = text.index("\n")
    hit = spread(spans, 1, line)
    assert isinstance(BYTES, Qwen2Tokenizer) and hit == [0, 1]
    emoji = text.index("😀")
    assert "".join(text[slice(*spans[k])] for k in spread(spans, emoji, emoji + 1)) == "😀"
