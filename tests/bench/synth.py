"""Verified Examples per second of one worker on one core, and how their queries compare.

`python -m tests.bench.synth [EXAMPLES]`; needs ../shared. The template writer's variety over 200
queries per kind (distinct-2, median words, commonest 6-gram) beside the real benchmark's, on
movies, demographics on ML-1M; then how well a logistic classifier on character n-grams tells
template from real queries (AUC, 5-fold).
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from agents.synthesis.config import USUAL
from agents.synthesis.executors.worker import Worker
from agents.synthesis.report import commonest, distinct
from agents.synthesis.state import Request
from agents.synthesis.world import World
from data_engine.graphs.evidence import Evidence
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.schema import Example
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.bench.load import report

SHARED, TARGET, QUERIES = Path(__file__).resolve().parents[2].parent / "shared/data", 300.0, 200
REAL = {
    "explicit": (0.35, 39),
    "implicit": (0.32, 51),
    "misinformed": (0.36, 45),
    "interest": (0.51, 26),
    "demographics": (0.40, 17),
}  # distinct-2, words


def make(worker: Worker, kind: str, count: int) -> list[Example]:
    """So many Examples of the SFT split."""
    made = worker.run([Request(0, "sft", kind, 2, index) for index in range(count)])
    return [Example.model_validate_json(one.body) for one in made if one.body]


def tell_apart(template: list[str], real: list[str]) -> float:
    """Cross-validated AUC of a logistic regression on character 2- to 4-grams."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    labels = [0] * len(template) + [1] * len(real)
    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)),
        LogisticRegression(C=10, max_iter=1000),
    )
    return float(np.mean(cross_val_score(model, template + real, labels, cv=5, scoring="roc_auc")))


os.sched_setaffinity(0, {os.cpu_count() - 1})
with tempfile.TemporaryDirectory() as made:
    stores = {"movies": Path(made) / "m.duckdb", "ml-1m": Path(made) / "l.duckdb"}
    folder = SHARED / "ml-1m"
    sources = {
        "movies": Tables(folder=SHARED / "movies"),
        "ml-1m": MovieLens(
            folder=folder, triples=folder / "kg.tsv.gz", ratings=folder / "pairs.tsv.gz"
        ),
    }
    for name, source in sources.items():
        with Store.open(stores[name], create=True) as store:
            store.replace_catalogue(source, ImportOptions(skip_unknown=True))
    worker = Worker(World(Evidence.load(stores["movies"])), "template", 6)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    requests = [Request(1, "sft", USUAL[n % len(USUAL)], 2, n // len(USUAL)) for n in range(count)]
    worker.run(requests[:50])
    start = time.perf_counter()
    verified = sum(one.body is not None for one in worker.run(requests))
    rate = verified / (time.perf_counter() - start)
    said, good = {}, True
    for kind, (variety, words) in REAL.items():
        if kind == "demographics":
            worker = Worker(World(Evidence.load(stores["ml-1m"])), "template", 6)
        said[kind] = [e.said for e in make(worker, kind, QUERIES)]
        found, length, (gram, share) = (
            distinct(said[kind]),
            np.median([len(text.split()) for text in said[kind]]),
            commonest(said[kind]),
        )
        fits = found >= variety and abs(length - words) <= 0.3 * words and share <= 0.05
        good &= fits
        print(
            f"{kind}: distinct-2 {found:.2f} (real {variety}), {length:g} words (real {words}), "
            f"{share:.1%} have {gram!r}{'' if fits else '  MISSED'}"
        )
    rows = [
        json.loads(line)
        for line in (SHARED / "recbench_plus/samples.jsonl").read_text().splitlines()
    ]
real = [row["query"] for row in rows if row.get("query")]
template = [text for texts in said.values() for text in texts[: len(real) // len(said)]]
print(f"told from {len(real)} real queries with AUC {tell_apart(template, real):.3f}")
report(
    "synth",
    rate,
    "verified Examples/s on one core; variety of each kind at least the real one's",
    TARGET,
    rate >= TARGET and good,
)
