"""What tells that a run has gone wrong, by hand."""

import pytest

from train.rft.health import RECENT, alarms, line

STEADY = {
    "rerec/entropy": [1.0] * 20,
    "response_length/mean": [50.0] * 20,
    "response_length/clip_ratio": [0.0] * 20,
    "actor/ppo_kl": [0.001] * 20,
    "rerec/flat_groups": [0.5] * 20,
}


def test_a_steady_run_has_no_alarm():
    assert alarms(STEADY) == [] and alarms({}) == []


@pytest.mark.parametrize(
    ("key", "last", "words"),
    [
        ("rerec/entropy", 0.09, "entropy fell to 0.090"),
        ("rerec/entropy", 3.1, "entropy rose to 3.10"),
        ("response_length/mean", 101.0, "responses grew to 101 tokens"),
        ("response_length/clip_ratio", 0.31, "31% of the responses are cut"),
        ("actor/ppo_kl", 0.11, "by 0.11 nats a token"),
        ("rerec/flat_groups", 0.91, "91% of the groups"),
    ],
)
def test_each_alarm_tells_what_is_wrong_and_no_other_rings(key, last, words):
    found = alarms(STEADY | {key: STEADY[key][:-RECENT] + [last] * RECENT})
    assert len(found) == 1 and words in found[0]


def test_a_single_odd_step_and_the_first_steps_ring_nothing():
    assert alarms(STEADY | {"actor/ppo_kl": [0.001] * 19 + [0.3]}) == []
    assert alarms({"actor/ppo_kl": [0.5] * (2 * RECENT - 1)}) == [] and alarms(
        {"actor/ppo_kl": [0.5] * 2 * RECENT}
    )


def test_the_line_of_a_step():
    said = line(
        3,
        48,
        {"rerec/score": 0.41234, "actor/ppo_kl": 0.0012, "timing_s/step": 7.1, "perf/other": 1.0},
    )
    assert said == "step 3/48 · reward 0.412 · KL 0.0012 · s 7.1"
    assert line(1, 2, {}) == "step 1/2"
