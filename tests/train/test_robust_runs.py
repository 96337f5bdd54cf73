"""Faults of long runs.

A lost reward server, queries that cannot be scored, a damaged checkpoint, SIGTERM.
"""

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from data_engine.store.database import Store
from reward_server.local import local_server
from tests.test_cli import start, wait_for
from train.reports.metrics import read_metrics
from train.rft.resume import metrics_files

pytestmark = pytest.mark.journey
STEPS = 8


def steps(run: Path) -> list[int]:
    return [
        json.loads(line)["step"]
        for path in metrics_files(run)
        for line in path.read_text().splitlines()
    ]


def rollouts(run: Path) -> dict[int, Counter]:
    """By step: the responses (query, text) that the last attempt at it learned from."""
    whole = {
        int(path.stem): path.read_text().rpartition("\n")[0].splitlines()
        for path in (run / "rollouts").glob("*.jsonl")
    }
    found = {
        step: map(json.loads, lines) for step, lines in whole.items()
    }  # verl's dump of a step that is stopped may end in half a line
    return {
        step: Counter((row["gts"], row["output"]) for row in rows) for step, rows in found.items()
    }


def last_checkpoint(run: Path) -> int:
    return int((run / "checkpoints/latest_checkpointed_iteration.txt").read_text())


@pytest.fixture(scope="module")
def troubled(film_store, beginner, tmp_path_factory):
    """A run whose server does not know one of its 16 queries, in three processes.

    It loses the server; finds its last checkpoint damaged and is told to stop; ends. Of each
    process: exit code, output, steps taken, step of the last checkpoint, responses.
    """
    folder = tmp_path_factory.mktemp("troubled")
    lacking, run = folder / "lacking.duckdb", folder / "run"
    lacking.write_bytes(film_store.read_bytes())
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples()
    first = next(e for e in examples if e.split == "rl")  # --queries takes it
    with Store.open(lacking) as store:
        store.replace_examples([e for e in examples if e != first])
    words = [
        "train",
        "rft",
        "tiny-rerec",
        "--store",
        film_store,
        "--model",
        beginner,
        "--run",
        run,
        "--queries",
        16,
        "--seed",
        4,
        "--resume",
    ]
    changes = (
        f"total_training_steps={STEPS}",
        "save_freq=2",
        f"rollout_data_dir={run / 'rollouts'}",
    )
    words += [*(word for change in changes for word in ("--set", f"trainer.{change}")), "--server"]

    def ended(process) -> SimpleNamespace:
        printed, _ = process.communicate(timeout=600)
        return SimpleNamespace(
            code=process.returncode,
            printed=printed,
            steps=steps(run),
            saved=last_checkpoint(run),
            rollouts=rollouts(run),
        )

    with local_server(lacking) as url:
        lost = start(*words, url)
        wait_for(lost, lambda: len(steps(run)) >= 3)
    ends = [ended(lost)]
    weights = next((run / f"checkpoints/global_step_{ends[0].saved}/actor").glob("model*.pt"))
    weights.write_bytes(weights.read_bytes()[:-1000])
    with local_server(lacking) as url:
        stopped = start(*words, url)
        wait_for(
            stopped, lambda: len(metrics_files(run)) == 2 and metrics_files(run)[-1].stat().st_size
        )
        stopped.terminate()
        ends += [ended(stopped), ended(start(*words, url))]
    return run, ends


def test_a_lost_server_stops_training_with_a_checkpoint_and_the_command_that_resumes(troubled):
    lost = troubled[1][0]
    errors = [line for line in lost.printed.splitlines() if line.startswith("error:")]
    assert (
        lost.code == 3
        and len(errors) == 1
        and "--resume" in errors[0]
        and "could not be scored" in errors[0]
    )
    assert lost.steps == [*range(1, lost.saved + 1)]


def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(troubled):
    lost, stopped, _ = troubled[1]
    assert f"step {lost.saved} is set aside" in stopped.printed
    assert (
        stopped.steps[len(lost.steps)] == (lost.saved - 1) // 2 * 2 + 1
    )  # every second step was kept


def test_a_step_taken_again_is_the_same_step(troubled):
    """From the same weights the same queries, responses and mini-batches.

    Rounding differs with what the rollout gathers in a batch: once in some ten thousand tokens
    another one is drawn, and from there on that response is another one.
    """
    run, (lost, stopped, _) = troubled
    first, again = (
        {row["step"]: row["data"] for row in map(json.loads, path.read_text().splitlines())}
        for path in metrics_files(run)[:2]
    )
    step = min(again)
    one, other = lost.rollouts[step], stopped.rollouts[step]
    assert Counter(query for query, _ in one.elements()) == Counter(
        query for query, _ in other.elements()
    )
    assert one.total() == other.total() == 128 and (one & other).total() >= 120
    for key, most in (("curriculum/difficulty", 1e-6), ("actor/grad_norm", 0.05)):
        assert again[step][key] == pytest.approx(first[step][key], rel=most), key


def test_sigterm_saves_a_checkpoint_and_the_resume_ends_the_run(troubled):
    run, (_, stopped, whole) = troubled
    assert (
        stopped.code == 3
        and "stopped by SIGTERM after a checkpoint" in stopped.printed
        and "Traceback" not in stopped.printed.splitlines()[-1]
    )
    assert stopped.saved == stopped.steps[-1] < STEPS
    assert whole.code == 0 and whole.steps[len(stopped.steps) :] == [
        *range(stopped.saved + 1, STEPS + 1)
    ]
    assert (run / "model/model.safetensors").is_file()


def test_what_cannot_be_scored_is_left_out_and_counted(troubled):
    metrics = read_metrics(metrics_files(troubled[0]))
    assert metrics["rerec/score"][0] == [*range(1, STEPS + 1)] and set(
        metrics["rerec/dropped_groups"][1]
    ) == {1.0}
    assert all(0 <= d <= 1 for d in metrics["curriculum/difficulty"][1]) and metrics[
        "curriculum/epoch"
    ][1] == [*range(1, STEPS + 1)]
