"""LightGCN learned by several processes of a Ray cluster, through Ray Train.

Each takes its part of every batch, so that a batch is so many times larger and an epoch has so many
times fewer steps; each holds the whole table and graph.
"""

import tempfile
from pathlib import Path
from queue import Empty
from threading import Thread
from typing import Any

import numpy as np

from data_engine.errors import DataError
from data_engine.preference.lightgcn import LightGCN, LightGCNConfig, products
from data_engine.preference.likes import Likes
from data_engine.preference.ranking import ReportRound
from data_engine.runtime.children import RAY_ENVIRONMENT, ray_address

POLL_SECONDS = 0.5


class DataParallelLightGCN:
    """See `LightGCN`. The checkpoint must be readable on every machine."""

    def __init__(
        self, config: LightGCNConfig, workers: int, checkpoint: Path | None = None
    ) -> None:
        self.config, self.workers = config, workers
        self.checkpoint = checkpoint and checkpoint.resolve()  # workers have folders of their own

    def fit(self, likes: Likes, report: ReportRound) -> None:
        """Train on Ray (RAY_ADDRESS, else this machine). Raises DataError where that fails."""
        import ray
        from ray.util.queue import Queue

        self.users, address = len(likes.users), ray_address()
        ray.init(
            address,
            num_cpus=self.workers + 2 if address == "local" else None,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            runtime_env=RAY_ENVIRONMENT,
        )
        try:
            self._check(ray.cluster_resources())
            told = Queue()
            given = {"likes": ray.put(likes), "told": told, "config": self.config}
            self._watch({**given, "checkpoint": self.checkpoint}, told, report)
        finally:
            ray.shutdown()

    def _check(self, resources: dict[str, float]) -> None:
        """Raises DataError for a cluster that would never have room for the processes."""
        if (cores := int(resources.get("CPU", 0))) < self.workers:
            raise DataError(f"--ray {self.workers} needs as many cores: the cluster has {cores}")
        self.use_gpu = resources.get("GPU", 0) >= self.workers

    def scores(self, users: np.ndarray) -> np.ndarray:
        """Products of final user and item embeddings."""
        return products(self.final, self.users, users)

    def vectors(self) -> np.ndarray:
        """The final item embeddings, mean over the layers."""
        vectors: np.ndarray = self.final[self.users :].numpy()
        return vectors

    def _watch(self, given: dict[str, Any], told: Any, report: ReportRound) -> None:
        """Train in a thread, and report what is told meanwhile, until the final table is."""
        failures: list[BaseException] = []

        def train() -> None:
            try:
                self._train(given)
            except Exception as error:  # it is raised in the thread that watches
                failures.append(error)

        thread = Thread(target=train, daemon=True)
        thread.start()
        while True:
            try:
                kind, *values = told.get(timeout=POLL_SECONDS)
            except Empty:
                if failures:
                    lines = str(failures[0]).strip().splitlines()
                    why = lines[-1] if lines else type(failures[0]).__name__
                    raise DataError(f"LightGCN failed on Ray: {why}") from failures[0]
                continue
            if kind == "final":
                import torch

                self.final = torch.from_numpy(values[0].copy())
                break
            report(*values)
        thread.join()

    def _train(self, given: dict[str, Any]) -> None:
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer

        with tempfile.TemporaryDirectory() as folder:
            TorchTrainer(
                _learn,
                train_loop_config=given,
                scaling_config=ScalingConfig(num_workers=self.workers, use_gpu=self.use_gpu),
                run_config=RunConfig(storage_path=folder),
            ).fit()


def _learn(given: dict[str, Any]) -> None:
    """The work of one process."""
    import ray
    from ray.train import get_context

    first = get_context().get_world_rank() == 0
    model, told = LightGCN(given["config"], given["checkpoint"]), given["told"]

    def report(done: int, ndcg: float) -> None:
        if first:
            told.put(("round", done, ndcg))

    model.fit(ray.get(given["likes"]), report)
    if first:
        told.put(("final", model.state["final"].numpy()))
