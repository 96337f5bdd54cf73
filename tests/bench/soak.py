"""An hour (or the minutes given) of steady requests, good and bad: does the server's memory stay
flat? `python -m tests.bench.soak [MINUTES]`.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from data_engine.runtime.children import rerec_command
from tests.bench.load import make_store, report, responses, serving

MINUTES, SETTLING, TARGET, PAUSE = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, 0.1, 2.0, 0.05


async def steady(port: int, rows: list[dict[str, str]], until: float) -> int:
    """Requests of all sizes, every tenth a broken one; returns how many."""
    rng, count = random.Random(0), 0
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        while time.monotonic() < until:
            chosen = rng.sample(rows, rng.choice((1, 8, 64, 256)))
            body = json.dumps(
                {
                    "responses": [
                        row | {"response": f"{rng.random()} {row['response']}"} for row in chosen
                    ]
                }
            )
            answer = await client.post(
                "/v1/score", content=body if count % 10 else body[: len(body) // 2]
            )
            if answer.status_code != (200 if count % 10 else 422):
                raise RuntimeError(answer.text)
            count += 1
            await asyncio.sleep(PAUSE)
    return count


with tempfile.TemporaryDirectory() as made:
    store = make_store(Path(made))
    rows = responses(store, 512)
    with serving(rerec_command("serve", "--store", str(store), "--port", "0")) as port:
        server = next(p for p in psutil.Process(os.getpid()).children() if "serve" in p.cmdline())
        counts, sizes = 0, []
        for share in (SETTLING, 0.3, 0.3, 1 - SETTLING - 0.6):
            counts += asyncio.run(steady(port, rows, time.monotonic() + 60 * MINUTES * share))
            sizes.append(server.memory_info().rss / 2**20)
growth = 100 * (sizes[-1] / sizes[0] - 1)
print(
    f"{counts} requests in {MINUTES:g} min; MB after each part: "
    f"{', '.join(f'{size:.1f}' for size in sizes)}"
)
report("soak", growth, f"% growth of memory in {MINUTES:g} min", f"<= {TARGET} %", growth <= TARGET)
