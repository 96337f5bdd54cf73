"""NDCG@K and H@K, as the reward server and the sequential harness compute them, against LensKit's
on rankings drawn at random.

LensKit wants other versions of what the lock pins: it is installed for this run alone, into a
temporary folder, without what is here already.
"""

import subprocess
import sys
import tempfile

import numpy as np

from data_engine.ndcg import mean_ndcg, ndcg
from tests.bench.load import report
from train.sequential import ranking

APART = (
    "lenskit==2025.8.1",
    "backports.zstd==1.8.0",
    "deepmerge==4.0.0",
    "humanize==4.17.0",
    "lazy-loader==0.6",
    "more-itertools==11.2.1",
    "prettytable==3.18.0",
    "py-cpuinfo==9.0.0",
    "pydantic-settings==2.16.3",
    "structlog==26.1.0",
    "wcwidth==0.2.14",
    "xopen==2.1.0",
)
RANKINGS, ITEMS, TARGET = 2000, 40, 1e-9
rng = np.random.default_rng(0)

with tempfile.TemporaryDirectory() as folder:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            folder,
            *APART,
        ],
        check=True,
    )
    sys.path.append(folder)
    from lenskit.data import ItemList
    from lenskit.metrics import NDCG, Hit

    def discount(places: np.ndarray) -> np.ndarray:
        return np.log2(places + 1)

    def theirs(metric: object, ranked: list[str], gold: list[str]) -> float:
        return metric.measure_list(ItemList(item_ids=ranked, ordered=True), ItemList(item_ids=gold))

    items, worst = [f"i{k}" for k in range(ITEMS)], 0.0
    for _ in range(RANKINGS):
        ranked = [str(i) for i in rng.permutation(items)[: rng.integers(1, 25)]]
        gold = [str(i) for i in rng.permutation(items)[: rng.integers(1, 6)]]
        k = int(rng.integers(1, 21))
        worst = max(
            worst,
            abs(
                ndcg(ranked, frozenset(gold), k) - theirs(NDCG(k, discount=discount), ranked, gold)
            ),
        )
    places = rng.integers(1, ITEMS + 1, RANKINGS)
    for k in (1, 5, 10, 20):
        for metric, ours in ((NDCG(k, discount=discount), mean_ndcg), (Hit(k), ranking.hits)):
            mean = np.mean([theirs(metric, items, [f"i{place - 1}"]) for place in places])
            worst = max(worst, abs(ours(places, k) - mean))

print(f"{RANKINGS} rankings and {RANKINGS} next items")
report("lenskit", 1e9 * worst, "largest difference, billionths", 1e9 * TARGET, worst <= TARGET)
