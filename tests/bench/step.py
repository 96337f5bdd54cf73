"""A training step of `tiny-rerec` on this machine: all of it against generation, log-probabilities and update, and what our own parts take of it
(the wait for a response's score, spans included, and the advantage; verl's own bookkeeping around the advantage counts as ours)."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from reward_server.local import local_server
from tests.bench.load import report

STEPS, WARM, TARGET, OWN = 12, 3, 1.15, 0.05


def rerec(*words: object) -> None:
    """One command; its words where it fails."""
    done = subprocess.run([sys.executable, "-m", "rerec", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])


with tempfile.TemporaryDirectory() as made:
    folder = Path(made)
    store = ["--store", folder / "world.duckdb"]
    rerec("data", "import", "world", *store)
    rerec("data", "embed", "--epochs", 2, *store)
    rerec("synth", *store, "--sft", 2000, "--rl", 400, "--validation", 16, "--test", 0, "--writer", "terse")
    rerec("train", "sft", *store, "--run", folder / "sft", "--gold-steps", 150, "--mixed-steps", 0)
    with local_server(folder / "world.duckdb") as url:
        steps = f"trainer.total_training_steps={STEPS}"
        rerec("train", "rft", "tiny-rerec", *store, "--model", folder / "sft/model", "--run", folder / "rft", "--server", url, "--set", steps)
    log = [json.loads(line)["data"] for line in (folder / "rft/log/rerec/rft.jsonl").read_text().splitlines()][WARM:]
found = {name: np.median([step[f"timing_s/{name}"] for step in log]) for name in ("step", "gen", "old_log_prob", "update_actor", "adv")}
waited = np.median([step["rerec/reward_seconds"] for step in log])
ratio, own = found["step"] / (found["gen"] + found["old_log_prob"] + found["update_actor"]), (waited + found["adv"]) / found["step"]
print(", ".join(f"{name} {value:.2f} s" for name, value in found.items()) + f"; a score takes {waited:.3f} s; ours {100 * own:.1f} %")
report("step", ratio, "× generation, log-probabilities and update", f"<= {TARGET}, ours <= {OWN:.0%}", ratio <= TARGET and own <= OWN)
