"""The wiring: sample → write → label → verify → criticise → done.

Words that fail are tried again, facts that fail are drawn anew.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.synthesis.nodes import Nodes
from agents.synthesis.state import SynthState

REDRAWS, REWORDINGS = 2, 2
Step = Callable[[SynthState], Coroutine[Any, Any, Any]]


def build_graph(nodes: Nodes, checkpoints: BaseCheckpointSaver | None = None) -> CompiledStateGraph:
    """Compile the graph.

    Invoke it with {"request": id, "attempt": 0}, read `problems` of the result and take the work
    from `nodes`. With a writer that asks a model the nodes are coroutines (`ainvoke`), else plain
    functions (`invoke`): without an event loop they take a tenth of the time, and langgraph would
    give every plain function that is awaited a thread.
    """
    graph = StateGraph(SynthState)
    adapt: Callable[[Step], Any] = _as_is if nodes.writer.asks else _synchronous
    for name in ("sample", "write", "label", "verify", "criticise", "reword", "redraw"):
        graph.add_node(name, adapt(getattr(nodes, name)))
    graph.add_edge(START, "sample")
    graph.add_conditional_edges("sample", adapt(_route("write", _give_up)), ["write", END])
    graph.add_conditional_edges(
        "write", adapt(_route("label", _try_again)), ["label", "reword", "redraw", END]
    )
    graph.add_edge("label", "verify")
    graph.add_conditional_edges(
        "verify",
        adapt(_route("criticise" if nodes.writer.asks or nodes.gate else END, _try_again)),
        ["criticise", "reword", "redraw", END],
    )
    graph.add_conditional_edges(
        "criticise", adapt(_route(END, _try_again)), ["reword", "redraw", END]
    )
    graph.add_edge("reword", "write")
    graph.add_edge("redraw", "sample")
    return graph.compile(checkpointer=checkpoints)


def _route(onward: str, otherwise: Callable[[SynthState], str]) -> Step:
    """A choice of the next node: `onward` without problems, `otherwise` with them."""

    async def choose(state: SynthState) -> str:
        return otherwise(state) if state["problems"] else onward

    return choose


def _give_up(state: SynthState) -> str:
    return END


def _try_again(state: SynthState) -> str:
    """Other words first, then other facts, then nothing."""
    if state["wording"] < REWORDINGS:
        return "reword"
    return "redraw" if state["attempt"] < REDRAWS else END


def _as_is(step: Step) -> Step:
    return step


def _synchronous(step: Step) -> Callable[[SynthState], Any]:
    """A coroutine function that never waits, as a plain function."""

    def run(state: SynthState) -> Any:
        try:
            step(state).send(None)  # runs to the end, as there is nothing to wait for
        except StopIteration as done:
            return done.value
        raise RuntimeError(f"{step} waits: its writer must say that it asks")

    return run
