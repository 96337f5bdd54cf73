"""What to measure against: the published reward service's shape (FastAPI and networkx, one pair of
items a request), and an empty endpoint.
"""

import networkx as nx
from fastapi import FastAPI
from pydantic import BaseModel

from data_engine.importers.world import WorldConfig, make_world

app, graph = FastAPI(), nx.Graph()
graph.add_edges_from(
    (f"item:{item}", f"attribute:{attribute}")
    for item, _, attribute, _ in make_world(WorldConfig()).edges
)


class Pair(BaseModel):
    """Two item ids."""

    prediction: str
    truth: str


@app.get("/health")
async def health() -> dict[str, str]:
    """Up."""
    return {"status": "ok"}


@app.post("/empty")
async def empty() -> dict[str, str]:
    """Nothing but the framework."""
    return {"status": "ok"}


@app.post("/query_alignment")
def query_alignment(pair: Pair) -> dict[str, float]:
    """The share of the truth's neighbours that the prediction has."""
    mine, its = (set(graph.neighbors(f"item:{item}")) for item in (pair.prediction, pair.truth))
    return {"score": len(mine & its) / max(1, len(its))}
