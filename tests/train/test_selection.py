"""Which step is a run's model.

Hand-computed: over four queries the differences 1, 1, 1, 0 are 3 standard errors from zero, 1, 1,
0, 0 are 1.73.
"""

import json
from math import nan
from pathlib import Path

import pytest

from train.errors import TrainError
from train.rft.selection import first_of_the_best

pytestmark = pytest.mark.unit


def validated(folder: Path, steps: dict[int, list[float]]) -> Path:
    """What verl keeps of validations.

    By step the score of each query, not always in the same order.
    """
    folder.mkdir()
    for step, values in steps.items():
        rows = [
            json.dumps({"gts": f"query {k}", "ndcg": value}) + "\n"
            for k, value in enumerate(values)
        ]
        (folder / f"{step}.jsonl").write_text("".join(rows[:: -1 if step % 2 else 1]))
    return folder


@pytest.mark.parametrize(
    "steps, first",
    [
        ({0: [0, 0, 0, 0], 15: [1, 1, 1, 0]}, 15),  # better beyond doubt
        ({0: [0, 0, 0, 0], 15: [1, 1, 0, 0]}, 0),  # it may be luck
        (
            {0: [0, 0, 0, 0], 15: [0, 1, 1, 1], 100: [1, 1, 1, 1]},
            15,
        ),  # steps in the order of numbers; 100 may be luck beside 15
        ({0: [0.5] * 4, 15: [0.5] * 4}, 0),
        ({0: [1, 1, 1, 1], 15: [0, 1, 0, 0]}, 0),
        (
            {0: [0, 0, 0, nan], 15: [1, 1, 1, 0]},
            15,
        ),  # unscored is not 0: of the other three all are better
        (
            {0: [1, 0, 0, 0], 15: [nan, 1, 0, 0]},
            0,
        ),  # means .25 and .33, but over the three that both have it may be luck
        ({0: [nan] * 4, 15: [0, 0, 0, 0]}, 15),
    ],
)
def test_a_later_step_must_be_better_beyond_doubt(tmp_path, steps, first):
    assert (
        first_of_the_best(validated(tmp_path / "samples", steps), "ndcg", lambda step: True)[0]
        == first
    )


def test_a_line_that_a_kill_cut_short_is_not_there(tmp_path):
    samples = validated(tmp_path / "samples", {0: [0, 0, 0], 2: [1, 1, 1]})
    (samples / "2.jsonl").write_text((samples / "2.jsonl").read_text()[:-9])
    assert first_of_the_best(samples, "ndcg", lambda step: True) == (2, {0: 0.0, 2: 1.0})


def test_a_step_without_weights_is_no_choice(tmp_path):
    samples = validated(tmp_path / "samples", {0: [0, 0], 1: [0.5, 0.5], 2: [1, 1]})
    assert first_of_the_best(samples, "ndcg", lambda step: step < 2) == (1, {0: 0.0, 1: 0.5})
    with pytest.raises(TrainError, match="nothing to choose by"):
        first_of_the_best(samples, "ndcg", lambda step: False)
