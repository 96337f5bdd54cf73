"""Where the cells of a comparison run: here, one after another, or on Ray, many at a time."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from data_engine.runtime.children import RAY_ENVIRONMENT, ray_address
from reward_server.local import local_server
from train.evaluation.cells import fill
from train.evaluation.matrix import Cell, CompareConfig
from train.rft.compose import on_cpu


def fill_here(run: Path, cells: list[Cell], config: CompareConfig) -> Iterator[tuple[Cell, str]]:
    """Each cell as it is done, with "" or what went wrong; one reward server for all."""
    with local_server(config.store, run / "serve.log") as url:
        for cell in cells:
            yield cell, fill(cell, config, url)


def fill_on_ray(cells: list[Cell], config: CompareConfig) -> Iterator[tuple[Cell, str]]:
    """Each cell as it is done, with "" or what went wrong; as many at a time as there are cores.

    Every cell has a reward server of its own: it may run on another machine.
    """
    import ray

    ray.init(
        ray_address(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env=RAY_ENVIRONMENT,
    )
    try:
        task = ray.remote(num_cpus=config.cores or 1, max_retries=0)(_fill_with_server)
        pending = {
            task.remote(replace(cell, folder=cell.folder.resolve()), config): cell for cell in cells
        }
        while pending:
            (first,), _ = ray.wait(list(pending))
            cell = pending.pop(first)
            try:
                yield cell, ray.get(first)
            except ray.exceptions.RayError as error:
                yield cell, f"its machine was lost ({type(error).__name__})"
    finally:
        ray.shutdown()


def _fill_with_server(cell: Cell, config: CompareConfig) -> str:
    """Fill a cell in a Ray task.

    A tiny policy starts a Ray of its own; training that needs GPUs asks the cluster for them.
    """
    if on_cpu(cell.method.recipe, (*cell.method.overrides, *config.overrides)):
        os.environ.pop("RAY_ADDRESS", None)
    cell.folder.mkdir(parents=True, exist_ok=True)
    with local_server(config.store, cell.folder.parent / f"{cell.seed}-serve.log") as url:
        return fill(cell, config, url)
