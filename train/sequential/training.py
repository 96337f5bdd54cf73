"""Training an encoder: cross entropy against sampled negatives, corrected for how often each is drawn; stops when validation says so."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.nn.functional import cross_entropy

from data_engine.sequences import VALIDATION, Sequences
from train.sequential.encoders import ENCODERS, PAD, EncoderConfig
from train.sequential.ranking import ndcg, ranks

Tell = Callable[[int, float], None]  # hears (epoch, validation NDCG@10)


class TrainingConfig(BaseModel):
    """`epochs` is the most; training stops after `patience` epochs without a better validation NDCG@10. `watched`: validation queries used."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    encoder: EncoderConfig = EncoderConfig()
    epochs: int = Field(200, ge=1)
    patience: int = Field(10, ge=1)
    batch: int = Field(32, ge=1)
    lr: float = Field(1e-3, gt=0)
    negatives: int = Field(512, ge=1)
    watched: int = Field(2000, ge=1)
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


def sampled_loss(states: torch.Tensor, targets: torch.Tensor, table: torch.Tensor, negatives: torch.Tensor, log_share: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy of the targets (N,) among themselves and shared negatives (M,), states (N, dims), item embeddings (items + 1, dims).

    Each logit less the log of the item's share in the draws, so that what is drawn often is not punished for it (logQ, Yi et al. 2019); a
    negative that is the target is left out.
    """
    right = (states * table[targets]).sum(1, keepdim=True) - log_share[targets][:, None]
    wrong = states @ table[negatives].T - log_share[negatives]
    wrong = wrong.masked_fill(targets[:, None] == negatives, -torch.inf)
    return cross_entropy(torch.cat([right, wrong], 1), torch.zeros(len(targets), dtype=torch.long))


class Trained:
    """An encoder that has been fitted, as a scorer of histories."""

    def __init__(self, model: nn.Module, length: int) -> None:
        self.model, self.length = model.eval(), length

    @torch.no_grad()
    def __call__(self, histories: list[np.ndarray]) -> np.ndarray:
        """(histories, items) scores; only the last `length` items of a history are read."""
        read = [torch.from_numpy(h[-self.length :] + 1) for h in histories]
        last = torch.tensor([len(h) - 1 for h in read])
        states = self.model(nn.utils.rnn.pad_sequence(read, batch_first=True, padding_value=PAD))
        return (states[torch.arange(len(read)), last] @ self.model.items.weight[1:].T).numpy()


def fit(name: str, sequences: Sequences, config: TrainingConfig, tell: Tell, checkpoint: Path | None = None) -> Trained:
    """Fit the encoder of that name and return it as it was when validation was best. A checkpoint of the same run is gone on from, exactly."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(2)
    model = ENCODERS[name](len(sequences.items), config.encoder)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.lr)
    rows = sequences.train()
    cut = torch.from_numpy(windows(rows, config.encoder.length))
    share = np.bincount(np.concatenate(rows) + 1, minlength=len(sequences.items) + 1).astype(np.float32) ** 0.75
    share = torch.from_numpy(np.where(np.arange(len(share)) == PAD, 0, np.maximum(share, 1)))
    log_share = torch.log(share / share.sum() * config.negatives)
    watched = list(sequences.nexts(VALIDATION))
    watched = watched[:: -(-len(watched) // config.watched)] if watched else []
    state = {"epoch": 0, "best": -1.0, "stale": 0, "kept": copy.deepcopy(model.state_dict())}
    if checkpoint and checkpoint.is_file():
        found = torch.load(checkpoint, weights_only=True)
        state = found["state"]
        model.load_state_dict(found["model"])
        optimiser.load_state_dict(found["optimiser"])
        torch.set_rng_state(found["rng"])
    while state["epoch"] < config.epochs and state["stale"] < config.patience:
        model.train()
        for chosen in torch.randperm(len(cut)).split(config.batch):
            wanted = cut[chosen][:, 1:]
            told = wanted != PAD
            negatives = torch.multinomial(share, config.negatives, replacement=True)
            states = model(cut[chosen][:, :-1])
            loss = sampled_loss(states[told], wanted[told], model.items.weight, negatives, log_share)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        value = ndcg(ranks(Trained(model, config.encoder.length), watched), 10)
        better = value > state["best"]
        state["epoch"] += 1
        state["stale"] = 0 if better else state["stale"] + 1
        if better:
            state |= {"best": value, "kept": copy.deepcopy(model.state_dict())}
        tell(state["epoch"], value)
        if checkpoint:
            part = checkpoint.with_suffix(".part")
            torch.save({"state": state, "model": model.state_dict(), "optimiser": optimiser.state_dict(), "rng": torch.get_rng_state()}, part)
            part.replace(checkpoint)
    model.load_state_dict(state["kept"])
    return Trained(model, config.encoder.length)
