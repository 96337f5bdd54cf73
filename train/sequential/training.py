"""Training of an encoder, which stops when validation says so."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from data_engine.datasets.sequences import VALIDATION, Next, Sequences
from data_engine.ndcg import mean_ndcg
from data_engine.runtime.atomic import draft
from reward_server.rechead.model import PAD
from train.sequential.config import TrainingConfig
from train.sequential.encoders import Encoder
from train.sequential.loss import NegativeSampler, sampled_loss, windows
from train.sequential.ranking import ranks
from train.sequential.scoring import EncoderScorer, last_states, with_thoughts
from train.sequential.thought_vectors import ThoughtVectors

OnEpoch = Callable[[int, float], None]  # called with the epoch and validation NDCG@10


def fit(
    model: Encoder,
    sequences: Sequences,
    config: TrainingConfig,
    on_epoch: OnEpoch,
    checkpoint: Path | None = None,
    thoughts: ThoughtVectors | None = None,
) -> EncoderScorer:
    """Train the model and return it as it was when validation was best.

    checkpoint: written after each epoch; one of the same run is resumed from, exactly.
    thoughts: a RecHead learns to read them from lessons of what was thought and which item came
        then. These leave alone what it makes of histories, so that gates which shut give the head
        without texts.
    """
    training = _Training(model, sequences, config, thoughts)
    if checkpoint and checkpoint.is_file():
        training.restore(torch.load(checkpoint, weights_only=True))
    while not training.finished:
        training.epoch()
        on_epoch(training.epochs, training.value)
        if checkpoint:
            with draft(checkpoint) as part:
                torch.save(training.state(), part)
    model.load_state_dict(training.best_weights)
    return training.scorer()


def validation_queries(sequences: Sequences, config: TrainingConfig) -> list[Next]:
    """The queries that are ranked after each epoch, evenly over all of validation."""
    found = list(sequences.nexts(VALIDATION))
    return found[:: -(-len(found) // config.watched)] if found else []


class _Training:
    """The state of a training run; all randomness is that of torch's global generator."""

    def __init__(
        self,
        model: Encoder,
        sequences: Sequences,
        config: TrainingConfig,
        thoughts: ThoughtVectors | None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.model, self.config, self.thoughts = model, config, thoughts
        self.optimiser = torch.optim.Adam(model.parameters(), lr=config.lr)
        rows = sequences.train()
        self.windows = torch.from_numpy(windows(rows, config.encoder.length))
        self.negatives = NegativeSampler.of(rows, len(sequences.items), config.negatives)
        self.queries = validation_queries(sequences, config)
        self.epochs, self.stale, self.value, self.best = 0, 0, 0.0, -1.0
        self.best_weights = copy.deepcopy(model.state_dict())

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        return self.epochs >= self.config.epochs or self.stale >= self.config.patience

    def scorer(self) -> EncoderScorer:
        """The model as it is; switches it to evaluation."""
        return EncoderScorer(self.model, self.config.encoder.length, self.thoughts)

    def epoch(self) -> None:
        """Read all windows once, with the lessons among them, then validate."""
        self.model.train()
        batches = torch.randperm(len(self.windows)).split(self.config.batch)
        for batch, lessons in zip(batches, self._lessons(len(batches)), strict=True):
            self._step(self.windows[batch], lessons)
        self.value = mean_ndcg(ranks(self.scorer(), self.queries), 10)
        self.epochs += 1
        if self.value > self.best:
            self.best, self.stale = self.value, 0
            self.best_weights = copy.deepcopy(self.model.state_dict())
        else:
            self.stale += 1

    def _lessons(self, batches: int) -> list[list[Next]]:
        """The lessons of each batch: all of them once, in random order."""
        if self.thoughts is None:
            return [[] for _ in range(batches)]
        every = self.thoughts.lessons
        parts = torch.randperm(len(every)).tensor_split(batches)
        return [[every[k] for k in part] for part in parts]

    def _step(self, batch: torch.Tensor, lessons: list[Next]) -> None:
        targets = batch[:, 1:]
        known = targets != PAD
        negatives = self.negatives.draw()
        states, table = self.model(batch[:, :-1]), self.model.table()
        log_share = self.negatives.log_share
        loss = sampled_loss(states[known], targets[known], table, negatives, log_share)
        if lessons and self.thoughts:
            loss = loss + self._lesson_loss(lessons, self.thoughts, table, negatives)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def _lesson_loss(
        self,
        lessons: list[Next],
        thoughts: ThoughtVectors,
        table: torch.Tensor,
        negatives: torch.Tensor,
    ) -> torch.Tensor:
        """The loss of the items that came after thoughts, some of which are those of others."""
        vectors = thoughts.before(lessons)
        doubted = torch.rand(len(lessons)) < self.config.doubt
        vectors = torch.where(doubted[:, None, None], vectors.roll(1, 0), vectors)
        with torch.no_grad():
            states = last_states(self.model, lessons, self.config.encoder.length)
        targets = torch.tensor([one.target + 1 for one in lessons])
        states = with_thoughts(self.model, states, vectors)
        return sampled_loss(states, targets, table.detach(), negatives, self.negatives.log_share)

    def state(self) -> dict[str, Any]:
        """All that a resume needs; loads with torch's weights_only."""
        return {
            "state": {
                "epoch": self.epochs,
                "best": self.best,
                "stale": self.stale,
                "kept": self.best_weights,
            },
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": torch.get_rng_state(),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue exactly where `state` was taken."""
        state = saved["state"]
        self.epochs, self.best, self.stale = state["epoch"], state["best"], state["stale"]
        self.best_weights = state["kept"]
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        torch.set_rng_state(saved["rng"])
