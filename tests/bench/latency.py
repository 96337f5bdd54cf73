"""p99 of single-response requests at 32 connections, against an empty FastAPI endpoint in the same
run. Both are loaded in short turns, and the figure is the median over the turns of p99 against p99:
over all turns together, p99 would be that of whichever server met the machine's worst second.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import uvloop

from data_engine.runtime.children import rerec_command
from tests.bench.load import hammer, make_store, report, request, responses, serving

CONNECTIONS, TURNS, SECONDS, TARGET = 32, 24, 1.0, 1.5


with tempfile.TemporaryDirectory() as made:
    store = make_store(Path(made))
    scored = [
        request("/v1/score", json.dumps({"responses": [row]}).encode())
        for row in responses(store, 256)
    ]
    nothing = [request("/empty", b"{}")]
    with (
        serving(
            [
                sys.executable,
                "-m",
                "uvicorn",
                "tests.bench.anchor:app",
                "--port",
                "0",
                "--no-access-log",
            ]
        ) as empty,
        serving(rerec_command("serve", "--store", str(store), "--port", "0")) as ours,
    ):
        taken: dict[int, list[list[float]]] = {empty: [], ours: []}
        for _ in range(TURNS + 2):
            for port, messages in ((empty, nothing), (ours, scored)):
                taken[port].append(uvloop.run(hammer(port, messages, CONNECTIONS, SECONDS)))
base, own = (
    [1000 * np.quantile(turn, (0.5, 0.99)) for turn in turns[2:]] for turns in taken.values()
)  # the first two warm up
whole = [1000 * np.quantile(np.concatenate(turns[2:]), 0.99) for turns in taken.values()]
ratio = float(np.median([mine[1] / its[1] for its, mine in zip(base, own, strict=True)]))
for name, figures, pooled in (
    ("empty endpoint", base, whole[0]),
    ("one response scored", own, whole[1]),
):
    p50, p99 = np.median(figures, axis=0)
    print(
        f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms in the median turn, {pooled:.1f} ms over "
        f"all turns"
    )
report("latency", ratio, "× an empty endpoint's p99, median over turns", TARGET, ratio <= TARGET)
