"""The wiring: understand → retrieve → reason → check → answer."""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.assistant.steps import DialogueState, Steps

ORDER = ("understand", "retrieve", "reason", "check", "answer")


def build_graph(steps: Steps, checkpoints: BaseCheckpointSaver | None = None) -> CompiledStateGraph:
    """Compile the graph. With checkpoints every conversation is a thread that goes on."""
    graph = StateGraph(DialogueState)
    for before, name in zip((START, *ORDER), ORDER, strict=False):
        # A node may not have the name of a part of the state.
        graph.add_node(f"{name}_step" if name == "answer" else name, getattr(steps, name))
        graph.add_edge(before, f"{name}_step" if name == "answer" else name)
    graph.add_edge("answer_step", END)
    return graph.compile(checkpointer=checkpoints)
