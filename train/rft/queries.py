"""The queries of a run, by split, as verl reads them."""

from collections.abc import Mapping, Sequence

from omegaconf import DictConfig

from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.rft.curriculum import CurriculumConfig
from train.rft.settings import recipe_task
from train.tasks.base import Row


def query_rows(
    composed: DictConfig,
    examples: Mapping[str, Sequence[Example]],
    evidence: Evidence,
    most: int | None,
) -> dict[str, list[Row]]:
    """verl rows by split; at most so many to learn from, evenly over all kinds.

    Raises DataError where they do not make a batch.
    """
    task, batch = recipe_task(composed), composed.data.train_batch_size
    rows = task.rows(examples, evidence)
    rl = rows["rl"]
    if most is not None and most < len(rl):
        rows["rl"] = [rl[k * len(rl) // most] for k in range(most)]
    if len(rows["rl"]) < batch:
        raise DataError(
            f"{len(rows['rl'])} RL queries are fewer than one batch of {batch}: "
            f"{task.how_to_get_more}"
        )
    return rows


def affordable_queries(composed: DictConfig) -> int | None:
    """As many queries as the recipe's curriculum has time for, None without one."""
    settings, steps = composed.rerec.curriculum, composed.trainer.total_training_steps
    if not settings or not steps:
        return None
    return CurriculumConfig(**settings).affordable(steps, composed.data.train_batch_size)
