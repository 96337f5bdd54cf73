"""Responses a second over HTTP: one worker on one core, batches of 256 responses of 1.2 kB, with
segments; against the published service's shape, which needs two calls for a response and reads no
text; and with two workers.
"""

import json
import sys
import tempfile
from pathlib import Path

from data_engine.runtime.children import rerec_command
from tests.bench.load import BATCH, make_store, pump, rate, report, request, responses, serving

PLAIN, CLAIMS, TIMES, SCALING = 20_000, 10_000, 8, 1.8
with tempfile.TemporaryDirectory() as made:
    store = make_store(Path(made))
    rows = responses(store, 2 * BATCH)
    plain, checked = (
        [
            request(
                "/v1/score",
                json.dumps({"responses": rows[k : k + BATCH], "claims": claims}).encode(),
            )
            for k in (0, BATCH)
        ]
        for claims in (False, True)
    )
    serve = rerec_command("serve", "--store", str(store), "--port", "0")
    with serving(serve) as port:
        found = {
            name: BATCH * pump(port, bodies, 2, 5.0)
            for name, bodies in (("plain", plain), ("claims", checked))
        }
    with serving([*serve, "--workers", "2"], cores="0,1") as port:
        two = BATCH * pump(port, checked, 16, 8.0)
    with serving(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "tests.bench.anchor:app",
            "--port",
            "0",
            "--no-access-log",
        ]
    ) as port:
        pairs = rate(
            port,
            [request("/query_alignment", b'{"prediction": "f00001", "truth": "f00002"}')],
            32,
            5.0,
        )
print(
    f"plain {found['plain']:,.0f}/s, with claims {found['claims']:,.0f}/s; anchor {pairs:,.0f} "
    f"pairs/s, that is {pairs / 2:,.0f} responses/s"
)
print(
    f"{found['plain'] / (pairs / 2):.1f} × the anchor (it finds no claims); two workers "
    f"{two / found['claims']:.2f} ×"
)

holds = (
    found["plain"] >= PLAIN
    and found["claims"] >= CLAIMS
    and found["plain"] >= TIMES * pairs / 2
    and two >= SCALING * found["claims"]
)
report(
    "score",
    found["plain"],
    "responses/s",
    f">= {PLAIN}, {CLAIMS} with claims, {TIMES} × the anchor, two workers {SCALING} ×",
    holds,
)
