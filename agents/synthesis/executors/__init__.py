"""Executors turn requests into outcomes: in this process, in others, on a cluster, or by asking.

One module each: `in_process`, `processes`, `ray_cluster`, and `endpoint` for the chat writer.
"""

from pathlib import Path

from agents.synthesis.config import SynthConfig
from agents.synthesis.executors.endpoint import EndpointExecutor
from agents.synthesis.executors.in_process import InProcessExecutor
from agents.synthesis.executors.processes import ProcessExecutor
from agents.synthesis.executors.protocol import Executor
from agents.synthesis.executors.ray_cluster import RayExecutor
from agents.synthesis.ledger import Ledger
from agents.synthesis.world import World

__all__ = ["Executor", "make_executor"]


def make_executor(store: Path, config: SynthConfig, world: World, ledger: Ledger) -> Executor:
    """Return the executor that the configuration asks for."""
    if config.writer == "chat":
        return EndpointExecutor(store, config, world, ledger)
    if config.ray:
        return RayExecutor(store, config)
    if config.workers > 1:
        return ProcessExecutor(store, config)
    return InProcessExecutor(world, config)
