"""The whole journey as a user runs it, interrupted on the way; on real movies if at hand."""

import json
import os
import re
import signal
import warnings
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.test_cli import rerec, start, wait_for

pytestmark = pytest.mark.journey
STAGES = [
    "import",
    "embed",
    "synth",
    "verify",
    "sft",
    "rerec-graph",
    "eval popularity",
    "eval sft",
    "eval rerec-graph",
    "ask",
    "report",
]
ARM = "rerec-graph"  # the one of a quick demo


@pytest.fixture(scope="module")
def data() -> list[str]:
    """--data for the real movies, or nothing and a loud word."""
    if (SHARED / "movies").is_dir():
        return ["--data", str(SHARED / "movies")]
    warnings.warn(
        "THE REAL MOVIES ARE NOT HERE: the journey was tested on the embedded world only",
        stacklevel=1,
    )
    return []


def stages_done(run: Path) -> list[str]:
    path = run / "journey.json"
    return list(json.loads(path.read_text())["stages"]) if path.is_file() else []


@pytest.fixture(scope="module")
def journey(tmp_path_factory, data):
    """(run directory, output of the last part) of a finished quick journey.

    It was interrupted twice in its synthesis, by Ctrl-C and by a SIGTERM to it alone.
    """
    run = tmp_path_factory.mktemp("journey") / "run"
    log = run / "logs/synth.log"
    for stop in (
        lambda process: os.killpg(process.pid, signal.SIGINT),
        lambda process: process.terminate(),
    ):
        said_before = log.stat().st_size if log.is_file() else 0
        part = start("demo", "--quick", "--run", run, *data)
        wait_for(part, lambda size=said_before: log.is_file() and log.stat().st_size > size)
        stop(part)
        said, _ = part.communicate(timeout=60)
        assert (
            part.returncode != 0
            and "run the same command again" in said
            and "Traceback" not in said
        )
        assert stages_done(run) == ["import", "embed"]
    last = rerec("demo", "--quick", "--run", run, *data)
    assert last.returncode == 0, last.stdout[-3000:] + last.stderr[-3000:]
    return run, last.stdout


def test_the_journey_ends_with_a_table_and_says_that_it_was_quick(journey):
    _, said = journey
    assert all(
        word in said
        for word in (
            "after SFT",
            "judged",
            "steps right",
            "premise corrected",
            "explicit",
            "misinformed",
            "position bias p",
            "--quick",
            "done before",
            "rerec assistant --store",
        )
    )


def test_the_run_directory_holds_everything(journey, data):
    run, _ = journey
    record = json.loads((run / "journey.json").read_text())
    assert (
        sorted(record["stages"]) == sorted(STAGES)
        and list(record["stages"])[-1] == "report"
        and 0 < record["seconds"] < sum(stage["seconds"] for stage in record["stages"].values())
        and record["config"]["seed"] == 0
        and record["versions"]["verl"] == "0.9.1"
        and "git" in record
    )
    for arm in ("sft", ARM):
        found = json.loads((run / f"eval/{arm}.json").read_text())
        assert (
            found["summary"]["queries"] == 200
            and found["split"] == "test"
            and set(found["summary"]["by_kind"])
            == {"explicit", "implicit", "misinformed", "interest"}
        )
    assert (run / ARM / "model/model.safetensors").is_file()
    assert (run / ARM / "config.yaml").is_file()
    facts = json.loads(rerec("data", "stats", "--store", run / "store.duckdb", "--json").stdout)
    assert facts["domain"] == ("movies" if data else "films")


def test_the_report_is_one_file_with_curves_data_and_ten_coloured_responses(journey):
    run, _ = journey
    page = (run / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert (
        page.count('class="card"') == 4 + 10 + 5
        and page.count("The graph alone") == 5
        and page.count("data:image/png;base64,") == 1
        and 'class="segment' in page
        and 'class="claim good"' in page
        and 'class="claim lost"' in page
    )
    words = re.sub(r"base64,[\w+/=]+", "", page)  # a picture's letters may say anything
    assert "built-in method" not in words and "None" not in words
    assert (run / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_the_policy_was_really_reinforced(journey):
    run, _ = journey
    start, end = ((run / arm / "model/model.safetensors").read_bytes() for arm in ("sft", ARM))
    assert start != end
    lines = (run / ARM / "log/rerec/rft.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    assert [s["step"] for s in steps] == [1, 2, 3]
    assert any(s["data"]["actor/grad_norm"] > 0 for s in steps)
    assert all(0 <= s["data"]["rerec/ndcg"] <= 1 for s in steps)
    assert max(s["data"]["rerec/bad_claims"] for s in steps) > 0


def test_learning_from_scratch_shows_even_in_a_quick_journey(journey):
    run, _ = journey
    losses = [loss for _, loss in json.loads((run / "sft/curve.json").read_text())]
    assert losses[-1] < 0.5 * losses[0]
    assert json.loads((run / "eval/sft.json").read_text())["summary"]["answered"] > 0.3


def test_another_configuration_in_the_same_directory_is_refused(journey, data):
    run, _ = journey
    done = rerec("demo", "--quick", "--seed", 1, "--run", run, *data)
    assert done.returncode != 0 and "seed: " in done.stderr
