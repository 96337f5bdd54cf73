"""A training step of `tiny-rerec` on this machine: all of it against generation, log-probabilities
and update, and what our own parts take of it: the advantage and the curriculum (with verl's own
bookkeeping around them), and spans, calls and judgement of a step's responses. These are timed in a
replay of the run's own responses against the same server: in the run a response's wait is for
verl's work on the others too.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from data_engine.runtime.children import rerec_command
from reward_server.client import AsyncRewardClient
from reward_server.local import local_server
from tests.bench.load import report
from train.algorithms import ALGORITHMS
from train.algorithms.spans import decoder
from train.verl_plugin.reward import reward

STEPS, WARM, TARGET, OWN = 12, 3, 1.15, 0.05


def rerec(*words: object) -> None:
    """One command; its words where it fails."""
    done = subprocess.run(
        rerec_command(*map(str, words)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr[-2000:])


async def replay(url: str, run: Path) -> list[float]:
    """Seconds from a step's responses to their rewards, each step of the run at once, as they come
    from a rollout.
    """
    tokenizer, found = AutoTokenizer.from_pretrained(run / "model"), []
    decode = decoder(tokenizer)
    async with AsyncRewardClient(url) as client:
        for path in sorted((run / "rollouts").glob("*.jsonl"), key=lambda path: int(path.stem)):
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            told = [
                (row["gts"], tokenizer(row["output"], add_special_tokens=False)["input_ids"])
                for row in rows
            ]
            start = time.perf_counter()
            scored = await asyncio.gather(
                *(reward(client, example, ids, decode, ALGORITHMS["raae"]) for example, ids in told)
            )
            found.append(time.perf_counter() - start)
            assert not any(figures["unscored"] for figures, _ in scored)
    return found


with tempfile.TemporaryDirectory() as made:
    folder = Path(made)
    store = ["--store", folder / "world.duckdb"]
    rerec("data", "import", "world", *store)
    rerec("data", "embed", "--epochs", 2, *store)
    rerec(
        "synth",
        *store,
        "--sft",
        2000,
        "--rl",
        400,
        "--validation",
        16,
        "--test",
        0,
        "--writer",
        "terse",
    )
    rerec("train", "sft", *store, "--run", folder / "sft", "--gold-steps", 150, "--mixed-steps", 0)
    with local_server(folder / "world.duckdb") as url:
        steps = f"trainer.total_training_steps={STEPS}"
        kept = f"trainer.rollout_data_dir={folder / 'rft/rollouts'}"
        words = [
            "--model",
            folder / "sft/model",
            "--run",
            folder / "rft",
            "--server",
            url,
            "--set",
            steps,
            "--set",
            kept,
        ]
        rerec("train", "rft", "tiny-rerec", *store, *words)
        scoring = np.median(asyncio.run(replay(url, folder / "rft"))[WARM:])
    log = [
        json.loads(line)["data"]
        for line in (folder / "rft/log/rerec/rft.jsonl").read_text().splitlines()
    ][WARM:]
found = {
    name: np.median([step[f"timing_s/{name}"] for step in log])
    for name in ("step", "gen", "old_log_prob", "update_actor", "adv")
}
waited = np.median([step["rerec/reward_seconds"] for step in log])
ratio, own = (
    found["step"] / (found["gen"] + found["old_log_prob"] + found["update_actor"]),
    (scoring + found["adv"]) / found["step"],
)
shown = ", ".join(f"{name} {value:.2f} s" for name, value in found.items())
print(
    f"{shown}; scoring {scoring:.3f} s (a response waits {waited:.3f} s in verl's loop); ours "
    f"{100 * own:.1f} %"
)
report(
    "step",
    ratio,
    "× generation, log-probabilities and update",
    f"<= {TARGET}, ours <= {OWN:.0%}",
    ratio <= TARGET and own <= OWN,
)
