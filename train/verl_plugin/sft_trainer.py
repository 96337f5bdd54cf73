"""verl's SFT trainer with our data order, a line per step, and a stop after a checkpoint."""

import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch.utils.data import Subset
from verl.trainer.sft_trainer import SFTTrainer
from verl.utils import tensordict_utils
from verl.utils.device import get_device_name

from train.cores import threads

Told = Callable[[int, dict[str, float]], None]  # step, verl's figures of it
Saved = Callable[[int, float | None], None]  # step whose checkpoint is whole, held-out loss


class Stopped(Exception):
    """The run was asked to stop, and has saved a checkpoint."""


class ChatTrainer(SFTTrainer):
    """Trains on the lessons in an order laid out for the whole run.

    So there is one epoch, and a resume at any step goes on with the lesson that would have come.
    """

    train_dataset: Any  # verl makes it, then a subset of it is put in its place
    training_client: Any  # verl's, then ours around it

    def __init__(self, config: DictConfig, stop: Path, told: Told, saved: Saved) -> None:
        """stop: a file at which the run saves and ends. told, saved: called with each step, and
        with each that was saved."""
        self._stop, self._told, self._saved = stop, told, saved
        super().__init__(config)

    def _build_dataset(self) -> None:
        super()._build_dataset()
        steps, batch = self.config.trainer.total_training_steps, self.config.data.train_batch_size
        order = lesson_order(len(self.train_dataset), steps * batch, self.config.rerec_seed)
        self.train_dataset = Subset(self.train_dataset, order)

    def _build_dataloader(self) -> None:
        super()._build_dataloader()
        self.train_sampler.shuffle = False

    def _build_engine(self) -> None:
        super()._build_engine()
        self.training_client = _Watched(self.training_client, self)

    def _build_ckpt_handler(self) -> None:
        super()._build_ckpt_handler()
        save = self.ckpt_handler.save_checkpoint

        def save_and_tell(step: int) -> None:
            save(step=step)
            losses = self.training_client.held_out_losses()
            self._saved(step, sum(losses) / len(losses) if losses else None)

        self.ckpt_handler.save_checkpoint = save_and_tell

    def after_step(self, step: int, metrics: dict[str, float]) -> None:
        """Report the step; save and raise Stopped where the run should stop before its end."""
        self._told(step, metrics)
        if self._stop.exists() and step < self.total_training_steps:
            self.ckpt_handler.save_checkpoint(step=step)
            raise Stopped


class _Watched:
    """verl's training worker, whose steps are counted and reported."""

    def __init__(self, worker: Any, trainer: ChatTrainer) -> None:
        self._worker, self._trainer, self._step = worker, trainer, 0
        self._losses: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)

    def train_batch(self, data: Any) -> Any:
        """One step."""
        output = self._worker.train_batch(data=data)
        self._step = (self._step or self._trainer.resume_global_step) + 1
        self._trainer.after_step(self._step, dict(tensordict_utils.get(output, "metrics")))
        return output

    def infer_batch(self, data: Any) -> Any:
        """One batch of validation."""
        output = self._worker.infer_batch(data)
        self._losses.append(tensordict_utils.get(output, "metrics")["loss"])
        return output

    def held_out_losses(self) -> list[float]:
        """The loss of each batch of the validation since the last call."""
        losses, self._losses = self._losses, []
        return losses


def lesson_order(lessons: int, count: int, seed: int) -> list[int]:
    """The numbers of `count` lessons: every one once per epoch, each epoch shuffled anew."""
    rng, order = random.Random(seed), list[int]()
    while len(order) < count:
        order += rng.sample(range(lessons), lessons)
    return order[:count]


@contextmanager
def process_group() -> Iterator[None]:
    """torch's process group of this one process, for the block: no port is opened."""
    os.environ.update(
        RANK="0", WORLD_SIZE="1", LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT="0"
    )
    cpu = get_device_name() == "cpu"
    backend = "gloo" if cpu else f"cpu:gloo,{get_device_name()}:nccl"
    torch.distributed.init_process_group(
        backend, store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def train(config: DictConfig, stop: Path, told: Told, saved: Saved) -> bool:
    """Train in this process; False where it was stopped after a checkpoint before its end."""
    import train.verl_plugin.plugin  # noqa: F401  # registers the engine of CPUs

    torch.set_num_threads(threads())
    logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)  # a note on its own names
    with process_group():
        try:
            ChatTrainer(config, stop, told, saved).fit()
        except Stopped:
            return False
    return True
