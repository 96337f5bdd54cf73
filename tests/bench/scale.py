"""A catalogue of a million items and ten million edges: seconds until the server is ready, memory
of two workers together, and throughput as a share of a small catalogue's.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import psutil

from data_engine.runtime.children import rerec_command
from data_engine.schema import Condition, Example, Provenance
from data_engine.store.database import Store
from tests.bench.generated import Generated
from tests.bench.load import BATCH, PER_EXAMPLE, pump, report, request, serving

READY, GIGABYTES, SHARE = 20.0, 4.0, 0.7
EXAMPLES, CANDIDATES = 64, 6
FILLER = (
    "Let me think about it once more before I settle: "
    "the request is for something quite particular. "
)


def make(folder: Path, items: int) -> tuple[Path, list[dict[str, str]]]:
    """A store with a few Examples, and responses to them."""
    path, rows = folder / f"{items}.duckdb", []
    with Store.open(path, create=True) as store:
        store.replace_catalogue(Generated(items))
        titles = dict(
            store.rows(
                f"SELECT item_id, title FROM items WHERE hash(item_id) % "
                f"{max(1, items // 2000)} = 0"
            )
        )
        unique = (
            [item for item in sorted(titles) if list(titles.values()).count(titles[item]) == 1]
            if len(titles) < 5000
            else sorted(titles)
        )
        examples = []
        for n in range(EXAMPLES):
            candidates = tuple(unique[n * CANDIDATES : (n + 1) * CANDIDATES])
            relation, value, name = store.rows(
                "SELECT relation, attribute_id, name FROM edges JOIN attributes USING "
                "(attribute_id) WHERE item_id = ? ORDER BY ALL",
                [candidates[0]],
            )[0]
            examples.append(
                Example(
                    domain="films",
                    kind="explicit",
                    user="",
                    query="?",
                    conditions=(Condition(relation=relation, value=value, name=name),),
                    candidates=candidates,
                    shuffle_seed=0,
                    gold=candidates[:1],
                    chains=(),
                    difficulty=0.5,
                    split="benchmark",
                    provenance=Provenance(
                        seed=0, graph_digest=store.graph_digest, writer="bench", prompt_hash=str(n)
                    ),
                ).named()
            )
            lines = "\n".join(
                f"{titles[item]} {relation} {name} "
                f"{'yes keep' if item == candidates[0] else 'no skip'}"
                for item in candidates
            )
            text = f"Need {relation} {name}.\n{lines}\n{FILLER * 12}"[:1150]
            rows += [
                {
                    "example_id": examples[-1].example_id,
                    "response": f"{text}\n<answer>{titles[candidates[k % 2]]}</answer>",
                }
                for k in range(PER_EXAMPLE)
            ]
        store.replace_examples(examples, benchmark=True)
    return path, rows


def measure(store: Path, rows: list[dict[str, str]]) -> tuple[float, float, float]:
    """Seconds to ready, GB of all processes (shared pages once), responses a second."""
    bodies = [
        request("/v1/score", json.dumps({"responses": rows[k : k + BATCH]}).encode())
        for k in range(0, len(rows), BATCH)
    ]
    start = time.perf_counter()
    with serving(
        rerec_command("serve", "--store", str(store), "--port", "0", "--workers", "2"), cores="0,1"
    ) as port:
        ready = time.perf_counter() - start
        speed = BATCH * pump(port, bodies, 16, 5.0)
        server = next(p for p in psutil.Process(os.getpid()).children() if "serve" in p.cmdline())
        memory = (
            sum(p.memory_full_info().pss for p in (server, *server.children(recursive=True)))
            / 2**30
        )
    return ready, memory, speed


with tempfile.TemporaryDirectory() as made:
    small = measure(*make(Path(made), 2000))
    large = measure(*make(Path(made), 1_000_000))
print(
    f"small: ready {small[0]:.1f} s, {small[1]:.2f} GB, {small[2]:,.0f}/s; large: ready "
    f"{large[0]:.1f} s, {large[1]:.2f} GB, {large[2]:,.0f}/s"
)
report(
    "scale",
    large[0],
    "s until ready",
    f"<= {READY:g} s, {GIGABYTES:g} GB, {SHARE:.0%} of the small one's throughput",
    large[0] <= READY and large[1] <= GIGABYTES and large[2] >= SHARE * small[2],
)
