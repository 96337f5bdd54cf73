"""A worker: the synthesis graph over one world, with an offline writer."""

import atexit
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from agents.synthesis.config import SynthConfig
from agents.synthesis.gate import NaturalnessGate
from agents.synthesis.graph import build_graph
from agents.synthesis.nodes import Nodes
from agents.synthesis.outcome import Outcome, outcome_of
from agents.synthesis.state import Request, SynthState
from agents.synthesis.world import World
from agents.synthesis.writers import Writer
from data_engine.graphs.evidence import Evidence


def freeze_heap() -> None:
    """Exempt all objects from garbage collection: walking loaded graphs again and again is slow."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries look for leaks when the process ends


class Worker:
    """Runs requests through the graph, one after the other."""

    def __init__(
        self, world: World, writer: Writer, candidates: int, gate: NaturalnessGate | None = None
    ) -> None:
        self.nodes = Nodes(world, writer, candidates, gate)
        self.graph = build_graph(self.nodes)
        freeze_heap()

    @classmethod
    def load(cls, store: Path, config: SynthConfig) -> "Worker":
        """A worker with a world of its own, read from the store."""
        return cls.of(World(Evidence.load(store)), config)

    @classmethod
    def of(cls, world: World, config: SynthConfig) -> "Worker":
        """The worker of a run that asks no endpoint."""
        return cls(world, config.offline_writer(), config.candidates, config.make_gate())

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """Outcomes of the requests, in order."""
        found = []
        for request in map(str, requests):
            result = self.graph.invoke(SynthState(request=request, attempt=0))
            found.append(finish(self.nodes, request, cast(SynthState, result)))
        return found


def finish(nodes: Nodes, request: str, state: SynthState) -> Outcome:
    """The outcome of a request whose run through the graph has ended in `state`."""
    work = nodes.pop(request)
    if state["problems"]:
        nodes.reject(work, state)
    return outcome_of(request, state["problems"], work)
