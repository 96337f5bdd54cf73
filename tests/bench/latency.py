"""p99 of single-response requests at 32 connections, against an empty FastAPI endpoint in the same run, in turns, so that whatever else the
machine does meets both."""

import json
import tempfile
from pathlib import Path

import numpy as np
import uvloop

from tests.bench.load import hammer, make_store, report, request, responses, serving

CONNECTIONS, ROUNDS, SECONDS, TARGET = 32, 8, 2.0, 1.5


with tempfile.TemporaryDirectory() as made:
    store = make_store(Path(made))
    scored = [request("/v1/score", json.dumps({"responses": [row]}).encode()) for row in responses(store, 256)]
    nothing = [request("/empty", b"{}")]
    with (
        serving(["-m", "uvicorn", "tests.bench.anchor:app", "--port", "{port}", "--log-level", "warning"]) as empty,
        serving(["-m", "rerec", "serve", "--store", str(store), "--port", "{port}"]) as ours,
    ):
        taken: dict[int, list[float]] = {empty: [], ours: []}
        for turn in range(ROUNDS + 1):
            for port, messages in ((empty, nothing), (ours, scored)):
                seconds = uvloop.run(hammer(port, messages, CONNECTIONS, SECONDS))
                taken[port] += seconds if turn else []  # the first turn warms up
    base, own = (1000 * np.quantile(taken[port], (0.5, 0.99)) for port in (empty, ours))
print(f"p50 and p99: empty endpoint {base[0]:.1f}, {base[1]:.1f} ms; one response scored {own[0]:.1f}, {own[1]:.1f} ms")
report("latency", own[1] / base[1], "× an empty endpoint's p99", TARGET, own[1] <= TARGET * base[1])
