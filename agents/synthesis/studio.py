"""The synthesis graph for LangGraph Studio (`langgraph dev`, see langgraph.json)."""

import os
from pathlib import Path

from langgraph.graph.state import CompiledStateGraph

from agents.synthesis.graph import build_graph
from agents.synthesis.nodes import Nodes
from agents.synthesis.world import World
from agents.synthesis.writers.template import TemplateWriter
from data_engine.graphs.evidence import Evidence


def make_graph() -> CompiledStateGraph:
    """Return the graph over the store that REREC_STORE names.

    Try it with {"request": "0/sft/implicit/2/0", "attempt": 0}.
    """
    store = Path(os.environ.get("REREC_STORE", "runs/store.duckdb"))
    return build_graph(Nodes(World(Evidence.load(store)), TemplateWriter(), 6))
