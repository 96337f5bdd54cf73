"""Histories a second that a served RecHead ranks over 10,000 items, two workers on two cores; and
the same with a fresh thought and answer each, which a sentence encoder has to read first.
"""

import json
import random
import subprocess
import tempfile
from pathlib import Path

import torch

from data_engine.graphs.arrays import GraphArrays
from data_engine.names.sentences import DEFAULT
from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from reward_server.rechead.files import save_head
from reward_server.rechead.model import HeadConfig, RecHead
from tests.bench.load import pump, report, request, serving

ITEMS, WIDTH, LENGTH, BATCH, TARGET = 10_000, 384, 50, 128, 500


def bodies(items: list[str], worded: bool) -> list[bytes]:
    """Batches of histories; with words, every one different."""
    rng = random.Random(0)
    words = (
        "they liked a heist in the city at night, long films and loud ones, "
        "a star they know and a composer they do not"
    ).split()
    made = []
    for _ in range(16):
        rows = [{"history": rng.sample(items, LENGTH)} for _ in range(BATCH)]
        for row in rows if worded else ():
            row["response"] = (
                f"{' '.join(rng.choices(words, k=30))}\n"
                f"<answer>{' '.join(rng.choices(words, k=8))}</answer>"
            )
        made.append(request("/v1/rechead/score", json.dumps({"responses": rows}).encode()))
    return made


with tempfile.TemporaryDirectory() as made:
    path = Path(made) / "world.duckdb"
    words = [
        "data",
        "import",
        "world",
        "--items",
        str(ITEMS),
        "--users",
        "50",
        "--store",
        str(path),
    ]
    subprocess.run(rerec_command(*words), check=True, capture_output=True)
    with Store.open(path, read_only=True) as store:
        arrays = GraphArrays.of(store)
    config, items = HeadConfig(), list(arrays.item_ids)
    torch.manual_seed(0)
    model = RecHead(
        len(items), config, torch.nn.functional.normalize(torch.randn(len(items), WIDTH), dim=1)
    )
    save_head(Path(made) / "head", model, config, DEFAULT, arrays.digest)
    serve = rerec_command(
        "serve",
        "--store",
        str(path),
        "--rechead",
        str(Path(made) / "head"),
        "--port",
        "0",
        "--workers",
        "2",
    )
    with serving(serve, cores="0,1") as port:
        silent, worded = (
            BATCH * pump(port, bodies(items, said), 4, seconds)
            for said, seconds in ((False, 8.0), (True, 15.0))
        )
print(
    f"{len(items):,} items: {silent:,.0f} histories/s; with a fresh thought and answer each "
    f"{worded:,.0f}/s"
)
report("rechead", silent, "histories/s", TARGET, silent >= TARGET)
