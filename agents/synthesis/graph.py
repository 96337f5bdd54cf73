"""The wiring: sample → write → label → verify → criticise → done; words that fail are tried again, facts that fail are drawn anew."""

from collections.abc import Awaitable, Callable, Coroutine

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.synthesis.nodes import Nodes
from agents.synthesis.state import SynthState

REDRAWS, REWORDINGS = 2, 2


def build_graph(nodes: Nodes, checkpoints: BaseCheckpointSaver | None = None) -> CompiledStateGraph:
    """Compile the graph; invoke it with {"request": id, "attempt": 0}, read `problems` of the result and take the work from `nodes`.

    With a writer that asks a model its nodes are coroutines (`ainvoke`), else plain functions (`invoke`): what never waits needs no event loop,
    which takes a tenth of the time; and langgraph gives a plain function that is awaited a thread, each time.
    """
    graph = StateGraph(SynthState)
    runs = (lambda step: step) if nodes.writer.asks else _at_once
    for name in ("sample", "write", "label", "verify", "criticise", "reword", "redraw"):
        graph.add_node(name, runs(getattr(nodes, name)))
    graph.add_edge(START, "sample")
    graph.add_conditional_edges("sample", runs(_route("write", lambda _: END)), ["write", END])
    graph.add_conditional_edges(
        "write", runs(_route("label", _again)), ["label", "reword", "redraw", END]
    )
    graph.add_edge("label", "verify")
    graph.add_conditional_edges(
        "verify",
        runs(_route("criticise" if nodes.writer.asks else END, _again)),
        ["criticise", "reword", "redraw", END],
    )
    graph.add_conditional_edges("criticise", runs(_route(END, _again)), ["reword", "redraw", END])
    graph.add_edge("reword", "write")
    graph.add_edge("redraw", "sample")
    return graph.compile(checkpointer=checkpoints)


def _route(
    onward: str, otherwise: Callable[[SynthState], str]
) -> Callable[[SynthState], Awaitable[str]]:
    """Where to go without problems, and with them."""

    async def choose(state: SynthState) -> str:
        return otherwise(state) if state["problems"] else onward

    return choose


def _again(state: SynthState) -> str:
    """Other words first, then other facts, then nothing."""
    return (
        "reword"
        if state["wording"] < REWORDINGS
        else "redraw"
        if state["attempt"] < REDRAWS
        else END
    )


def _at_once(step: Callable[[SynthState], Coroutine]) -> Callable[[SynthState], object]:
    """A coroutine that waits for nothing, as a plain function."""

    def run(state: SynthState) -> object:
        try:
            step(state).send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError(f"{step} waits: its writer must say that it asks")

    return run
