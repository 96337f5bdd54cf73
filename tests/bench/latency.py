"""p99 of single-response requests at 32 connections, against an empty FastAPI endpoint in the same run."""

import json
import tempfile
from pathlib import Path

import numpy as np
import uvloop

from tests.bench.load import hammer, make_store, report, request, responses, serving

CONNECTIONS, SECONDS, TARGET = 32, 8.0, 1.5


def p99(port: int, messages: list[bytes]) -> float:
    """Milliseconds, after a short run to warm up."""
    uvloop.run(hammer(port, messages, CONNECTIONS, 1.0))
    return float(np.quantile(uvloop.run(hammer(port, messages, CONNECTIONS, SECONDS)), 0.99)) * 1000


with tempfile.TemporaryDirectory() as made:
    store = make_store(Path(made))
    messages = [request("/v1/score", json.dumps({"responses": [row]}).encode()) for row in responses(store, 256)]
    with serving(["-m", "uvicorn", "tests.bench.anchor:app", "--port", "{port}", "--log-level", "warning"]) as port:
        empty = p99(port, [request("/empty", b"{}")])
    with serving(["-m", "rerec", "serve", "--store", str(store), "--port", "{port}"]) as port:
        ours = p99(port, messages)
print(f"p99: empty endpoint {empty:.1f} ms, one response scored {ours:.1f} ms")
report("latency", ours / empty, "× an empty endpoint's p99", TARGET, ours <= TARGET * empty)
