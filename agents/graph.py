"""The wiring: sample → write → label → verify → (revise, twice at most) → keep."""

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.nodes import Nodes
from agents.state import SynthState

MOST_REVISIONS = 2


def build_graph(nodes: Nodes) -> CompiledStateGraph:
    """Compile the graph; invoke it with {"request": …, "attempt": 0} and read `example` and `problems` of the result."""
    graph = StateGraph(SynthState)
    for name in ("sample", "write", "label", "verify", "revise"):
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "sample")
    graph.add_conditional_edges("sample", lambda s: "write" if s["draft"] else END, ["write", END])
    graph.add_edge("write", "label")
    graph.add_edge("label", "verify")
    graph.add_conditional_edges("verify", _after_verify, ["revise", END])
    graph.add_edge("revise", "sample")
    return graph.compile()


def _after_verify(state: SynthState) -> str:
    return "revise" if state["problems"] and state["attempt"] < MOST_REVISIONS else END
