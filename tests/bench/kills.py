"""Runs of 40 steps killed with SIGKILL at ten random moments and resumed each time, against
unbroken runs of six seeds: the score on held-out queries, the queries each step learned from, and
the steps that were lost.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from data_engine.runtime.children import rerec_command
from reward_server.local import local_server
from tests.bench.load import report
from tests.test_cli import rerec
from train.reports.metrics import read_metrics
from train.rft.resume import metrics_files

STEPS, SAVED, KILLS = 40, 4, 10
UNBROKEN, KILLED = (0, 1, 2, 3, 4, 5), (0, 1)  # seeds; those killed are among the unbroken


def score(run: Path) -> float:
    """On the validation queries, after the last step: the mean over their kinds, of which there are
    equally many.
    """
    metrics = read_metrics(metrics_files(run))
    kinds = [
        values[-1]
        for key, (_, values) in metrics.items()
        if key.startswith("val-core") and key.endswith("reward/mean@1")
    ]
    return float(np.mean(kinds))


def queries(run: Path) -> dict[int, frozenset[str]]:
    """What each step learned from, as the last attempt at it had it.

    A step that was killed between its checkpoint, which comes first, and its record has none.
    """
    files = (run / "rollouts").glob("*.jsonl")
    return {
        int(path.stem): frozenset(json.loads(line)["gts"] for line in path.read_text().splitlines())
        for path in files
    }


def last(run: Path) -> int:
    """The last step that was logged."""
    return max(
        (
            json.loads(line)["step"]
            for path in metrics_files(run)
            for line in path.read_text().splitlines()
            if line.endswith("}")
        ),
        default=0,
    )


def killed(words: list[str], run: Path, rng: random.Random) -> list[int]:
    """Go on until the end, killed at KILLS moments drawn evenly over the steps, in the midst of
    one; returns the steps lost at each.
    """
    lost = []
    for moment in [*sorted(rng.uniform(0, STEPS - 1) for _ in range(KILLS)), None]:
        more = ["--resume"] if (run / "config.yaml").is_file() else []
        process = subprocess.Popen(
            [*words, *more],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if moment is None:
            if process.wait():
                sys.exit(f"the resume of {run} failed")
            return lost
        while process.poll() is None and last(run) < int(moment):
            time.sleep(0.2)
        time.sleep(10 * (moment % 1))  # in a rollout, an update or a checkpoint
        before = last(run)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        latest = run / "checkpoints/latest_checkpointed_iteration.txt"
        lost.append(before - int(latest.read_text() if latest.is_file() else 0))
        print(f"killed after step {before}, {lost[-1]} lost", flush=True)


def main() -> None:
    """Make a small world and a policy, then run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = ["--store", folder / "world.duckdb"]
        parts = (
            ("data", "import", "world"),
            (
                "synth",
                "--sft",
                3000,
                "--rl",
                16 * STEPS,
                "--validation",
                800,
                "--test",
                0,
                "--writer",
                "terse",
            ),
            ("train", "sft", "--run", folder / "sft", "--gold-steps", 500, "--mixed-steps", 150),
        )
        for part in parts:
            done = rerec(*part, *store)
            if done.returncode:
                sys.exit(done.stderr[-2000:])

        def words(name: str, seed: int) -> list[str]:
            run = folder / name
            given = [
                *store,
                "--model",
                folder / "sft/model",
                "--run",
                run,
                "--server",
                url,
                "--seed",
                seed,
            ]
            changes = (
                f"total_training_steps={STEPS}",
                f"save_freq={SAVED}",
                f"test_freq={STEPS}",
                f"rollout_data_dir={run / 'rollouts'}",
            )
            given += [word for change in changes for word in ("--set", f"trainer.{change}")]
            return rerec_command("train", "rft", "tiny-grpo", *map(str, given))

        with local_server(folder / "world.duckdb") as url:
            lost = [
                killed(
                    words(f"killed-{seed}", seed), folder / f"killed-{seed}", random.Random(seed)
                )
                for seed in KILLED
            ]
            for seed in UNBROKEN:
                if subprocess.run(
                    words(str(seed), seed), capture_output=True, check=False
                ).returncode:
                    sys.exit(f"the unbroken run of seed {seed} failed")
        whole, broken = (
            [score(folder / str(seed)) for seed in UNBROKEN],
            [score(folder / f"killed-{seed}") for seed in KILLED],
        )
        asked = [
            (queries(folder / f"killed-{seed}"), queries(folder / str(seed))) for seed in KILLED
        ]
    deviation = max(float(np.std(whole, ddof=1)), 1e-9)
    print(
        f"unbroken {np.round(whole, 3)}, killed {np.round(broken, 3)}, lost {lost}; "
        f"{[len(after) for after, _ in asked]} steps on record"
    )
    same = all(
        after.items() <= before.items() and len(after) >= STEPS - KILLS for after, before in asked
    )
    once = same and all(len(frozenset.union(*before.values())) == 16 * STEPS for _, before in asked)
    holds = min(broken) >= min(whole) - deviation and once and max(map(max, lost)) <= SAVED
    report(
        "kills",
        (np.mean(broken) - np.mean(whole)) / deviation,
        "standard deviations between seeds, killed less unbroken",
        f"each killed run within one below the lowest unbroken; the unbroken run's queries in "
        f"each step, none twice; <= {SAVED} steps lost",
        holds,
    )


if __name__ == "__main__":
    main()
