"""The executor on a Ray cluster."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from agents.synthesis.config import SynthConfig
from agents.synthesis.executors.protocol import REQUESTS_PER_TASK
from agents.synthesis.executors.worker import Worker
from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Request
from data_engine.runtime.children import RAY_ENVIRONMENT, ray_address


class RayWorker:
    """A worker that loads its own world: an actor starts from a path, graphs are not sent to it."""

    def __init__(self, store: Path, config: SynthConfig) -> None:
        self._worker = Worker.load(store, config)

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """See `Worker.run`."""
        return self._worker.run(requests)


class RayExecutor:
    """Actors of the cluster that RAY_ADDRESS names, else of one on this machine.

    The store must be readable on every node.
    """

    requests_per_task = REQUESTS_PER_TASK

    def __init__(self, store: Path, config: SynthConfig) -> None:
        import ray

        self._ray, self._started = ray, not ray.is_initialized()
        if self._started:
            address = ray_address()
            ray.init(
                address,
                num_cpus=config.workers if address == "local" else None,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",  # type: ignore[arg-type]  # a name is allowed too
                runtime_env=RAY_ENVIRONMENT,
            )
        self.most_pending = config.workers + 2
        actor_class: Any = ray.remote(num_cpus=1)(RayWorker)
        self._actors: list[Any] = [
            actor_class.remote(store.resolve(), config) for _ in range(config.workers)
        ]
        self._submitted = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self._actors:
            self._ray.kill(actor)
        if self._started:
            self._ray.shutdown()

    def submit(self, requests: Sequence[Request]) -> Future[list[Outcome]]:
        """Give the requests to the actors in turn."""
        self._submitted += 1
        actor = self._actors[self._submitted % len(self._actors)]
        future: Future[list[Outcome]] = actor.run.remote(requests).future()
        return future

    def on_recorded(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing was kept."""
