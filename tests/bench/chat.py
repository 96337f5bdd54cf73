"""The chat writer against an endpoint that takes half a second per call, 64 at a time.

`python -m tests.bench.chat [EXAMPLES]`: the share of the ideal throughput, and calls per verified
Example. `python -m tests.bench.chat faults [EXAMPLES]`: a fifth of all calls fail, and the process
is killed at random moments.
"""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from agents.synthesis.chat_config import ChatConfig
from agents.synthesis.config import SynthConfig
from agents.synthesis.ledger import Ledger, ledger_path
from agents.synthesis.run import synthesise
from data_engine.quality.audit import audit
from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from tests.agents.endpoint import scripted
from tests.bench.load import make_store, report

LATENCY, CONCURRENCY, TARGET, KILLS = 0.5, 64, 0.95, 10


def throughput(store: Path, count: int) -> None:
    """Calls answered per second while the queue is full: not in the first 2 s, nor the last 4 s."""
    with scripted(LATENCY) as url:
        chat = ChatConfig(base_url=url, writer="scripted", concurrency=CONCURRENCY)
        made = synthesise(store, SynthConfig(counts={"sft": count}, writer="chat", chat=chat))
        seen = httpx.get(url.removesuffix("/v1")).json()
    first, last = seen["answered"][0], seen["answered"][-1]
    inner = [t for t in seen["answered"] if first + 2 < t <= last - 4]
    ideal = CONCURRENCY / LATENCY
    steady, whole = (
        len(inner) / (last - first - 6) / ideal,
        seen["calls"] / (last - first + LATENCY) / ideal,
    )
    print(
        f"{len(made)} Examples, {seen['calls']} calls, "
        f"{seen['calls'] / len(made):.2f} per Example; "
        f"{whole:.1%} of the ideal over the whole run"
    )
    extra = seen["calls"] / len(made) - 2  # the writer's and the critic's are due
    unit = (
        f"of the ideal throughput while the queue is full; {extra:.2f} calls per Example "
        "more than the writer's and the critic's"
    )
    report("chat", steady, unit, TARGET, steady >= TARGET and extra <= 1)


def faults(store: Path, count: int) -> None:
    """Killed KILLS times and finished, against a run that nobody touched."""
    whole = store.with_name("whole.duckdb")
    shutil.copy(store, whole)
    rng = random.Random(0)
    with scripted(0.02, 0.2) as url:
        options = [
            "--sft",
            str(count),
            "--rl",
            "0",
            "--validation",
            "0",
            "--test",
            "0",
            "--writer",
            "chat",
            "--model",
            "m",
            "--base-url",
            url,
        ]
        words = rerec_command(
            "synth", *options, "--timeout", "2", "--concurrency", str(CONCURRENCY), "--store"
        )
        for _ in range(KILLS):
            process = subprocess.Popen(
                [*words, str(store)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(1.5, 5.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
        for path in (store, whole):
            subprocess.run([*words, str(path)], check=True, capture_output=True)
    rows = []
    for path in (store, whole):
        with Store.open(path, read_only=True) as opened:
            result = audit(opened)
            rows.append([e.example_id for e in opened.examples()])
        with Ledger(ledger_path(path)) as ledger:
            failed = ledger.db.execute("SELECT sum(status <> 'ok'), count(*) FROM calls").fetchone()
        print(
            f"{result.checked} Examples, {len(result.violations)} wrong, "
            f"{len(set(rows[-1]))} different, {failed[0]} of {failed[1]} calls failed"
        )
    same = rows[0] == rows[1] and len(set(rows[0])) == count and not result.violations
    report(
        "chat faults", KILLS, "kills; the rows are those of an unbroken run", "the same rows", same
    )


if __name__ == "__main__":
    kind, count = (
        ("faults", sys.argv[2:]) if sys.argv[1:2] == ["faults"] else ("throughput", sys.argv[1:])
    )
    with tempfile.TemporaryDirectory() as folder:
        made_store = make_store(Path(folder))
        ledger_path(made_store).unlink()
        {"faults": faults, "throughput": throughput}[kind](
            made_store, int(count[0]) if count else {"faults": 1000, "throughput": 2000}[kind]
        )
