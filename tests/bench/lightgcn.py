"""Our LightGCN against RecBole 1.2.1's on the same split: how many times sooner it reaches
RecBole's best validation NDCG@10.

Needs RecBole in an environment of its own, named by the environment variable RECBOLE_PYTHON, and
../shared. `python -m tests.bench.lightgcn [movies|ml-1m] [EPOCHS] [BATCH] [LR]`: the data set, and
what RecBole is given (its defaults take hours on ML-1M).
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from data_engine.errors import DataError
from data_engine.graphs.interactions import InteractionGraph
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.preference import Likes, embed
from data_engine.preference.lightgcn import LightGCN, LightGCNConfig
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions

SHARED, TIMES = Path(__file__).resolve().parents[2].parent / "shared", 20.0
SOURCES = {
    "movies": lambda: Tables(folder=SHARED / "data/movies"),
    "ml-1m": lambda: MovieLens(
        folder=SHARED / "data/ml-1m",
        triples=SHARED / "data/ml-1m/kg.tsv.gz",
        ratings=SHARED / "data/ml-1m/pairs.tsv.gz",
    ),
}


class Reached(Exception):
    """Ours is as good as the other's best."""


def write_split(name: str, folder: Path) -> None:
    """All pairs as RecBole's three files, 8:1:1 at random by user; and as arrays for ours."""
    with Store.open(folder / "s.duckdb", create=True) as store:
        store.replace_catalogue(SOURCES[name](), ImportOptions(skip_unknown=True))
        graph = InteractionGraph.from_store(store)
    part = np.zeros(len(graph.user), int)
    shuffled = np.random.default_rng(2020).permutation(len(part))
    order = shuffled[
        np.argsort(graph.user[shuffled], kind="stable")
    ]  # each user's rows together, in random order
    owner = graph.user[order]
    share = (np.arange(len(order)) - np.searchsorted(owner, owner)) / np.bincount(owner)[owner]
    part[order] = (share >= 0.8).astype(int) + (share >= 0.9)
    np.savez(folder / "pairs.npz", user=graph.user, item=graph.item, part=part)
    (folder / name).mkdir()
    for k, stage in enumerate(("train", "valid", "test")):
        rows = np.stack([graph.user[part == k], graph.item[part == k]], 1)
        np.savetxt(
            folder / name / f"{name}.{stage}.inter",
            rows,
            "%d",
            "\t",
            header="user_id:token\titem_id:token",
            comments="",
        )


def ours(folder: Path, goal: float) -> None:
    """Train on the arrays until `goal` is reached; print seconds, NDCG@10 and peak memory."""
    torch.set_num_threads(2)
    kept = np.load(folder / "pairs.npz")
    user, item, part = kept["user"], kept["item"], kept["part"]
    start = time.perf_counter()
    likes = Likes(
        [str(k) for k in range(user.max() + 1)],
        [str(k) for k in range(item.max() + 1)],
        *(column[part == k] for k in (0, 1) for column in (user, item)),
    )
    found = [(0.0, 0.0)]

    def tell(_: int, ndcg: float) -> None:
        found.append((ndcg, time.perf_counter() - start))
        if ndcg >= goal:
            raise Reached

    try:
        embed(likes, LightGCN(LightGCNConfig(epochs=500, patience=20)), tell)
    except Reached:
        pass
    best, seconds = max(found)
    print(
        json.dumps(
            {
                "ndcg": best,
                "seconds": seconds,
                "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    )


def theirs(
    name: str, folder: Path, epochs: str, batch: str, rate: str
) -> tuple[float, float, float]:
    """RecBole's seconds, best validation NDCG@10 and peak memory in GB."""
    python = os.environ.get("RECBOLE_PYTHON")
    if not python:
        raise DataError("set RECBOLE_PYTHON to the python of an environment that has recbole 1.2.1")
    words = [
        python,
        str(SHARED / "anchors/recbole_lightgcn.py"),
        str(folder),
        name,
        epochs,
        batch,
        rate,
        "10",
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run(
        [*words, "--benchmark_filename=['train','valid','test']"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DataError(f"RecBole failed: {done.stderr.strip().splitlines()[-1:]}")
    seconds, ndcg = (
        float(re.search(rf"'{word}[^}}]*?: (?:np.float64\()?([\d.]+)", done.stdout)[1])
        for word in ("seconds'", "ndcg@10'")
    )
    return (
        seconds,
        ndcg,
        max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 2**20,
    )


if sys.argv[1:2] == ["ours"]:
    ours(Path(sys.argv[2]), float(sys.argv[3]))
else:
    name, epochs, batch, rate = [
        *sys.argv[1:],
        *["movies", "300", "2048", "0.001"][len(sys.argv) - 1 :],
    ]
    with tempfile.TemporaryDirectory() as made:
        here = Path(made)
        write_split(name, here)
        seconds, goal, memory = theirs(name, here, epochs, batch, rate)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.lightgcn", "ours", made, str(goal)],
            capture_output=True,
            text=True,
            check=True,
        )
        mine = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"RecBole: NDCG@10 {goal:.4f} in {seconds:.0f} s, {memory:.2f} GB; ours: "
        f"{mine['ndcg']:.4f} in {mine['seconds']:.1f} s, {mine['gb']:.2f} GB"
    )
    times = seconds / mine["seconds"]
    holds = mine["ndcg"] >= goal and times >= TIMES and mine["gb"] <= memory
    print(
        json.dumps(
            {
                "bench": "lightgcn",
                "figure": round(times, 1),
                "unit": f"times sooner on {name}",
                "target": TIMES,
                "holds": holds,
            }
        )
    )
