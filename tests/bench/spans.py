"""Rewards on the tokens of 2,000 responses, checked by decoding every prefix: `just bench spans`.

Arguments: how many responses, and a seed. Prints how many of what was checked.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from agents.synthesis.config import SynthConfig
from agents.synthesis.run import synthesise
from data_engine.graphs.evidence import Evidence
from data_engine.importers.world import WorldConfig, make_world
from data_engine.store.database import Store
from reward_server.snapshot import Snapshot
from tests.train.span_checks import check_responses, smollm2_tokenizer


def main(count: int, seed: int) -> dict[str, float]:
    """Check so many responses to the queries of an invented world."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "films.duckdb"
        with Store.open(path, create=True) as store:
            store.replace_catalogue(make_world(WorldConfig(items=400, users=150, seed=seed)))
        config = SynthConfig(counts={"sft": 300}, seed=seed, workers=1, writer="template")
        made = synthesise(path, config)
        with Store.open(path) as store:
            store.replace_examples(made)
            examples = store.examples()
        world = examples, Evidence.load(path), Snapshot.load(path)
    start = time.perf_counter()
    found = check_responses(*world, smollm2_tokenizer(), count=count, seed=seed)
    return {**found, "seconds": round(time.perf_counter() - start, 1)}


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    print(json.dumps(main(*given, *(2000, 0)[len(given) :])))
