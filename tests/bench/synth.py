"""The rate of verified Examples against that of bare six-node LangGraph runs, on one core.

`python -m tests.bench.synth [EXAMPLES]`: both are run in turns in one process. Examples are of the
usual kinds over the real films of ../shared, or over the embedded world where there are none.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from langgraph.graph import END, START, StateGraph

from agents.synthesis.config import USUAL
from agents.synthesis.executors.worker import Worker
from agents.synthesis.state import Request, SynthState
from agents.synthesis.writers.registry import make_offline
from data_engine.importers.tables import Tables
from data_engine.importers.world import WorldConfig, make_world
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.bench.load import report

MOVIES = Path(__file__).resolve().parents[2].parent / "shared/data/movies"
TARGET, TURNS, NODES = 0.35, 10, 6


def bare_graph() -> Any:
    """A graph of six nodes in a row that only hand the state on."""
    graph = StateGraph(SynthState)
    names = [f"node{n}" for n in range(NODES)]
    for name in names:
        graph.add_node(name, lambda state: {"attempt": state["attempt"] + 1})
    for one, other in zip((START, *names), (*names, END), strict=True):
        graph.add_edge(one, other)
    return graph.compile()


def fill(path: Path) -> str:
    """Make the store; what it holds."""
    source = Tables(folder=MOVIES) if MOVIES.exists() else make_world(WorldConfig())
    with Store.open(path, create=True) as store:
        store.replace_catalogue(source, ImportOptions(skip_unknown=True))
    return "real films" if MOVIES.exists() else "the embedded world"


os.sched_setaffinity(0, {os.cpu_count() - 1})
count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
with tempfile.TemporaryDirectory() as made:
    path = Path(made) / "s.duckdb"
    what = fill(path)
    worker, bare = Worker.load(path, make_offline("template"), 6), bare_graph()
    requests = [Request(1, "sft", USUAL[n % len(USUAL)], 2, n // len(USUAL)) for n in range(count)]
    worker.run(requests[:50])
    rates: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in np.array_split(np.arange(count), TURNS):
        start = time.perf_counter()
        for n in turn:
            bare.invoke(SynthState(request=str(n), attempt=0))
        rates["bare"].append(len(turn) / (time.perf_counter() - start))
        start = time.perf_counter()
        verified = sum(one.body is not None for one in worker.run([requests[n] for n in turn]))
        rates["ours"].append(verified / (time.perf_counter() - start))
bare_rate, rate = (float(np.median(rates[name])) for name in ("bare", "ours"))
ratio = float(np.median(np.array(rates["ours"]) / np.array(rates["bare"])))
print(f"{what}: {rate:.0f} verified Examples/s, {bare_rate:.0f} bare runs/s")
report("synth", ratio, "× the rate of bare six-node LangGraph runs", TARGET, ratio >= TARGET)
