"""Training an encoder: cross entropy against sampled negatives, corrected for how often each is drawn; stops when validation says so."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import cross_entropy

from data_engine.datasets.sequences import VALIDATION, Next, Sequences
from data_engine.ndcg import mean_ndcg
from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config
from reward_server.rechead.model import PAD, HeadConfig, RecHead
from train.sequential.ranking import ranks
from train.sequential.thoughts import Said

Tell = Callable[[int, float], None]  # hears (epoch, validation NDCG@10)


class TrainingConfig(Config):
    """`epochs` is the most; training stops after `patience` epochs without a better validation NDCG@10. `watched`: validation queries used.
    `doubt`: the share of lessons told in somebody else's words, so that the gates learn to shut."""

    encoder: HeadConfig = HeadConfig()
    epochs: int = Field(200, ge=1)
    patience: int = Field(10, ge=1)
    batch: int = Field(32, ge=1)
    lr: float = Field(1e-3, gt=0)
    negatives: int = Field(512, ge=1)
    watched: int = Field(2000, ge=1)
    doubt: float = Field(0.3, ge=0, le=1)
    seed: int = 0


def windows(rows: Sequence[np.ndarray], length: int) -> np.ndarray:
    """(windows, length + 1) item numbers from 1, padded behind with 0: each sequence cut from its end, neighbours sharing one item, so that
    every step from one item to the next is learned once."""
    found = []
    for row in rows:
        for end in range(len(row), 1, -length):
            part = row[max(0, end - length - 1) : end] + 1
            found.append(np.pad(part, (0, length + 1 - len(part)), constant_values=PAD))
    return np.array(found, np.int64).reshape(-1, length + 1)


def sampled_loss(
    states: torch.Tensor,
    targets: torch.Tensor,
    table: torch.Tensor,
    negatives: torch.Tensor,
    log_share: torch.Tensor,
) -> torch.Tensor:
    """Mean cross entropy of the targets (N,) among themselves and shared negatives (M,), states (N, dims), item embeddings (items + 1, dims).

    Each logit less the log of the item's share in the draws, so that what is drawn often is not punished for it (logQ, Yi et al. 2019); a
    negative that is the target is left out.
    """
    right = (states * table[targets]).sum(1, keepdim=True) - log_share[targets][:, None]
    wrong = states @ table[negatives].T - log_share[negatives]
    wrong = wrong.masked_fill(targets[:, None] == negatives, -torch.inf)
    return cross_entropy(torch.cat([right, wrong], 1), torch.zeros(len(targets), dtype=torch.long))


class Trained:
    """An encoder that has been fitted, as a scorer; a RecHead heeds what was said."""

    def __init__(self, model: nn.Module, length: int, said: Said | None = None) -> None:
        self.model, self.length, self.said = model.eval(), length, said

    @torch.no_grad()
    def __call__(self, nexts: Sequence[Next]) -> np.ndarray:
        """(nexts, items) scores; only the last `length` items of a history are read."""
        states = last_states(self.model, nexts, self.length)
        if self.said:
            states = self.model.fuse_texts(states, self.said.before(nexts))
        return (states @ self.model.table()[1:].T).numpy()


def last_states(model: nn.Module, nexts: Sequence[Next], length: int) -> torch.Tensor:
    """(nexts, dims): what is expected after each history."""
    read = [torch.from_numpy(n.history[-length:] + 1) for n in nexts]
    last = torch.tensor([len(h) - 1 for h in read])
    return model(nn.utils.rnn.pad_sequence(read, batch_first=True, padding_value=PAD))[
        torch.arange(len(read)), last
    ]


def watched(sequences: Sequences, config: TrainingConfig) -> list[Next]:
    """The validation queries that are looked at after each epoch, evenly over all."""
    found = list(sequences.nexts(VALIDATION))
    return found[:: -(-len(found) // config.watched)] if found else []


def fit(
    model: nn.Module,
    sequences: Sequences,
    config: TrainingConfig,
    tell: Tell,
    checkpoint: Path | None = None,
    said: Said | None = None,
) -> Trained:
    """Fit the model and return it as it was when validation was best. A checkpoint of the same run is gone on from, exactly.

    With `said`, a RecHead learns to listen beside: from lessons of what was said and what came then, which leave alone what it makes of histories,
    so that gates which shut give the head without words.
    """
    torch.manual_seed(config.seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.lr)
    rows = sequences.train()
    cut = torch.from_numpy(windows(rows, config.encoder.length))
    share = (
        np.bincount(np.concatenate(rows) + 1, minlength=len(sequences.items) + 1).astype(np.float32)
        ** 0.75
    )
    share = torch.from_numpy(np.where(np.arange(len(share)) == PAD, 0, np.maximum(share, 1)))
    log_share = torch.log(share / share.sum() * config.negatives)
    asked = watched(sequences, config)
    state = {"epoch": 0, "best": -1.0, "stale": 0, "kept": copy.deepcopy(model.state_dict())}
    if checkpoint and checkpoint.is_file():
        found = torch.load(checkpoint, weights_only=True)
        state = found["state"]
        model.load_state_dict(found["model"])
        optimiser.load_state_dict(found["optimiser"])
        torch.set_rng_state(found["rng"])
    while state["epoch"] < config.epochs and state["stale"] < config.patience:
        model.train()
        steps = torch.randperm(len(cut)).split(config.batch)
        lessons = (
            torch.randperm(len(said.lessons)).tensor_split(len(steps))
            if said
            else [None] * len(steps)
        )
        for chosen, lesson in zip(steps, lessons, strict=True):
            wanted = cut[chosen][:, 1:]
            told = wanted != PAD
            negatives = torch.multinomial(share, config.negatives, replacement=True)
            states, table = model(cut[chosen][:, :-1]), model.table()
            loss = sampled_loss(states[told], wanted[told], table, negatives, log_share)
            if lesson is not None and len(lesson):
                loss = loss + _lesson(
                    model,
                    [said.lessons[k] for k in lesson],
                    said,
                    config,
                    table,
                    negatives,
                    log_share,
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        value = mean_ndcg(ranks(Trained(model, config.encoder.length, said), asked), 10)
        better = value > state["best"]
        state["epoch"] += 1
        state["stale"] = 0 if better else state["stale"] + 1
        if better:
            state |= {"best": value, "kept": copy.deepcopy(model.state_dict())}
        tell(state["epoch"], value)
        if checkpoint:
            with draft(checkpoint) as part:
                torch.save(
                    {
                        "state": state,
                        "model": model.state_dict(),
                        "optimiser": optimiser.state_dict(),
                        "rng": torch.get_rng_state(),
                    },
                    part,
                )
    model.load_state_dict(state["kept"])
    return Trained(model, config.encoder.length, said)


def _lesson(
    model: RecHead,
    lessons: list[Next],
    said: Said,
    config: TrainingConfig,
    table: torch.Tensor,
    negatives: torch.Tensor,
    log_share: torch.Tensor,
) -> torch.Tensor:
    heard = said.before(lessons)
    doubted = torch.rand(len(lessons)) < config.doubt
    heard = torch.where(doubted[:, None, None], heard.roll(1, 0), heard)
    with torch.no_grad():
        states = last_states(model, lessons, config.encoder.length)
    wanted = torch.tensor([n.target + 1 for n in lessons])
    return sampled_loss(
        model.fuse_texts(states, heard), wanted, table.detach(), negatives, log_share
    )
