"""The report of one reinforcement run, from logs as verl writes them."""

import json
import math
import re

import pytest

from data_engine.errors import RunInUse
from data_engine.runtime.run_directory import RunDirectory
from tests.test_cli import rerec
from train.errors import TrainError
from train.reports.metrics import read_metrics, validations
from train.reports.plots import canvas, curve
from train.reports.run_report import samples, write_run_report
from train.rft.resume import metrics_files

PART = "val-aux/rerec/films/next_item/{}/mean@1"


@pytest.fixture
def run(tmp_path):
    """Twelve steps, the last three of a second attempt that did step 10 again.

    Validated at 0 and 12; the policy's entropy is gone.
    """
    run = tmp_path / "r"
    (run / "log/rerec").mkdir(parents=True)
    (run / "samples").mkdir()
    steps = [
        {
            "step": 0,
            "data": {
                PART.format("score"): 0.25,
                "val-core/rerec/films/next_item/reward/mean@1": 0.25,
            },
        }
    ]
    steps += [
        {
            "step": s,
            "data": {
                "rerec/score": s / 100,
                "rerec/entropy": 2.0 if s < 7 else 0.01,
                "timing_s/gen": 2.0,
            },
        }
        for s in range(1, 11)
    ]
    again = [
        {"step": s, "data": {"rerec/score": s / 10, "rerec/entropy": 0.01, "timing_s/gen": 2.0}}
        for s in (10, 11, 12)
    ]
    again[-1]["data"][PART.format("score")] = 0.5
    for name, rows in (("rft-000.jsonl", steps), ("rft.jsonl", again)):
        (run / "log/rerec" / name).write_text("\n".join(map(json.dumps, rows)) + "\n")
    (run / "config.yaml").write_text(
        "actor_rollout_ref: {rollout: {val_kwargs: {do_sample: true, temperature: 0.7}}}"
    )
    (run / "provenance.json").write_text(
        json.dumps(
            {"git": "abc", "versions": {"verl": "0"}, "config": {"recipe": "tiny-x"}, "seed": 3}
        )
    )
    written = [
        {"input": "asked", "output": f"<b>said {k}</b>", "score": k / 20, "ndcg": 0.0, "reason": ""}
        for k in range(20)
    ]
    (run / "samples/12.jsonl").write_text("\n".join(map(json.dumps, written)) + "\n")
    (run / "samples/0.jsonl").write_text(
        json.dumps({"input": "old", "output": "old", "score": 0}) + "\n"
    )
    return run


def test_a_step_done_again_counts_as_it_was_done_last(run):
    metrics = read_metrics(metrics_files(run))
    assert metrics["rerec/score"][0] == [*range(1, 13)] and metrics["rerec/score"][1][9:] == [
        1.0,
        1.1,
        1.2,
    ]
    assert validations(metrics) == {"score": ([0, 12], [0.25, 0.5])}


def test_validation_is_the_mean_over_kinds_and_tells_the_ndcg_of_each():
    told = {
        "explicit": {"ndcg": [0.25, 0.5], "qas": [0.5, math.nan]},
        "interest": {"ndcg": [0.75, 1.0], "qas": [math.nan, math.nan]},
    }
    of = "val-aux/rerec/films/{}/{}/mean@1"
    seen = validations(
        {
            of.format(kind, part): ([0, 12], values)
            for kind, parts in told.items()
            for part, values in parts.items()
        }
    )
    assert (
        seen["ndcg"] == ([0, 12], [0.5, 0.75])
        and seen["qas"][1][0] == 0.5
        and math.isnan(seen["qas"][1][1])
    )
    assert (seen["ndcg explicit"], seen["ndcg interest"]) == (
        ([0, 12], [0.25, 0.5]),
        ([0, 12], [0.75, 1.0]),
    )


def test_samples_are_of_the_last_validation_evenly(run):
    assert [s["score"] for s in samples(run)] == [
        0.0,
        0.1,
        0.25,
        0.35,
        0.5,
        0.6,
        0.75,
        0.85,
    ] and samples(run)[0]["parts"] == {"ndcg": 0.0}


@pytest.mark.journey
def test_the_page_is_whole_and_nothing_of_a_policys_words_runs(run):
    done = rerec("report", run, "--json")
    page = (run / "report.html").read_text()
    assert json.loads(done.stdout)["report"] == str(run / "report.html")
    assert (
        not re.findall(r'(?:src|href)="(?!data:|#)', page)
        and page.count("data:image/png;base64,") == 1
    )
    assert "<b>said" not in page and "&lt;b&gt;said 0" in page
    said = (
        "entropy fell to 0.010",
        "<td>0.250</td>",
        "<td>0.500</td>",
        "2.00 s",
        "tiny-x · seed 3",
        "Validation queries, sampled at temperature 0.7",
    )
    assert all(words in page for words in said)


def test_segments_are_coloured_by_what_they_earned(run):
    cut = [
        {"start": 5, "end": 9, "verdict": "wrong_item", "reward": 0.1},
        {"start": 9, "end": 14, "verdict": "ok", "reward": 0.6},
    ]
    row = {
        "input": "asked",
        "output": "tool <i>a answer",
        "score": 0.6,
        "segments": json.dumps(cut),
    }
    (run / "samples/12.jsonl").write_text(json.dumps(row) + "\n")
    (shown,) = samples(run)
    assert [(p["text"], p["tone"]) for p in shown["pieces"]] == [
        ("<i>a", "lost"),
        (" answ", "poor"),
    ] and shown["before"] == "tool "
    page = write_run_report(run).read_text()
    assert (
        '<span class="segment lost">&lt;i&gt;a<span class="tag">wrong item 0.10</span></span>'
        in page
        and "<i>a" not in page
    )


@pytest.mark.parametrize(
    ("steps", "drawn", "named"), [(0, 0, []), (3, 1, ["GRPO"]), (12, 2, ["GRPO"])]
)
def test_a_curve_is_named_however_short(steps, drawn, named):
    _, axes = canvas(1, 1, 4, 3)
    curve(axes[0, 0], ([*range(steps)], [0.5] * steps), "black", "GRPO")
    assert len(axes[0, 0].lines) == drawn and axes[0, 0].get_legend_handles_labels()[1] == named


def test_without_a_step_there_is_nothing_to_report(tmp_path):
    (tmp_path / "log").mkdir()
    with pytest.raises(TrainError, match="no step of a run yet"):
        write_run_report(tmp_path)


def test_one_process_at_a_time_in_a_directory(tmp_path):
    with (
        RunDirectory(tmp_path / "r").held(),
        pytest.raises(RunInUse, match="another process is still at work"),
        RunDirectory(tmp_path / "r").held(),
    ):
        pass
    with RunDirectory(tmp_path / "r").held():
        assert list((tmp_path / "r").iterdir()) == []
