"""LightGCN (He et al., SIGIR 2020, arXiv 2002.02126) trained with BPR: item embeddings for the
preference alignment score.

Propagation is E' = Â E with Â = D^-1/2 A D^-1/2; the final embedding is the mean over layers 0..L
(eq. 6–8). Only embeddings are learned. Negatives are uniform; the regulariser is on layer-0
embeddings of the batch (eq. 15).
"""

import hashlib
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import distributed
from torch.nn.functional import (  # embedding's backward is several times faster than indexing's
    embedding,
    softplus,
)
from torch.nn.parallel import DistributedDataParallel

from data_engine.preference.likes import Likes
from data_engine.preference.ranking import ReportRound, ndcg10
from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config

SAVE_SECONDS = 20.0


class LightGCNConfig(Config):
    """Training settings. `epochs` is the most; training stops after `patience` checks without a
    better validation NDCG@10. `batch` grows so that an epoch has `most_steps` at most: each step
    propagates over the whole graph, and an epoch would take time in proportion to its square.
    """

    dims: int = Field(64, ge=2, le=1024)
    layers: int = Field(3, ge=1, le=8)
    epochs: int = Field(60, ge=1)
    batch: int = Field(4096, ge=1)
    most_steps: int = Field(200, ge=1)
    lr: float = Field(0.02, gt=0)
    l2: float = Field(1e-3, ge=0)
    check_every: int = Field(1, ge=1)
    patience: int = Field(6, ge=1)
    seed: int = 0


class _Propagation(torch.nn.Module):
    """Nodes → their final embeddings, and those of layer 0."""

    def __init__(self, table: torch.Tensor, adjacency: torch.Tensor, layers: int) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(table)
        self.adjacency, self.layers = adjacency, layers

    def forward(self, nodes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        final = _propagate(self.adjacency, self.table, self.layers)
        return embedding(nodes, final), embedding(nodes, self.table)


class LightGCN:
    """Learns one table of embeddings, users first. With a `checkpoint` path the state is kept there
    now and then, and a run that was cut short goes on from it to the same bytes; whoever keeps the
    result deletes the file.

    In a process group of torch each process takes its part of every batch, and the gradients are
    averaged (`DistributedDataParallel`): all processes hold the same state, the first one keeps it.
    """

    def __init__(self, config: LightGCNConfig, checkpoint: Path | None = None) -> None:
        self.config, self.checkpoint = config, checkpoint
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        together = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if together else 0
        self.count = distributed.get_world_size() if together else 1

    def fit(self, likes: Likes, report: ReportRound) -> None:
        """Train until validation NDCG@10 has not risen for `patience` checks; the best state is
        kept.
        """
        c, self.users = self.config, len(likes.users)
        self.rng = torch.Generator().manual_seed(c.seed)
        table = torch.nn.init.normal_(
            torch.empty(self.users + len(likes.items), c.dims), std=0.1, generator=self.rng
        )
        ends = (
            torch.from_numpy(np.stack([likes.user, likes.item + self.users])).long().to(self.device)
        )
        adjacency = _normalised_adjacency(ends, len(table))
        network = _Propagation(table.to(self.device), adjacency, c.layers)
        self.table = network.table
        self.network = DistributedDataParallel(network) if self.count > 1 else network
        self.optimiser = torch.optim.Adam([self.table], lr=c.lr)
        self.state: dict[str, Any] = {
            "identity": _identity(c, likes, self.count),
            "epoch": 0,
            "best": -1.0,
            "stale": 0,
            "final": table,
        }
        self._restore()
        saved = time.monotonic()
        while self.state["epoch"] < c.epochs and self.state["stale"] < c.patience:
            self._epoch(ends)
            self.state["epoch"] += 1
            if self.state["epoch"] % c.check_every == 0 or self.state["epoch"] == c.epochs:
                self._check(adjacency, likes, report)
            if self.checkpoint and not self.rank and time.monotonic() - saved > SAVE_SECONDS:
                self._save()
                saved = time.monotonic()

    def scores(self, users: np.ndarray) -> np.ndarray:
        """Products of final user and item embeddings."""
        return products(self.state["final"], self.users, users)

    def vectors(self) -> np.ndarray:
        """The final item embeddings, mean over the layers."""
        vectors: np.ndarray = self.state["final"][self.users :].numpy()
        return vectors

    def _epoch(self, ends: torch.Tensor) -> None:
        """One pass over the likes, with one uniform negative each.

        Every process draws for all, so that all draw the same, and takes its own part; of the last
        batch, which may not divide, what is left over is not learned from.
        """
        order = torch.randperm(ends.shape[1], generator=self.rng)
        size = max(self.config.batch, -(-len(order) // self.config.most_steps))
        for batch in torch.split(order, size * self.count):
            drawn = torch.randint(self.users, len(self.table), (len(batch),), generator=self.rng)
            own = slice(self.rank, len(batch) // self.count * self.count, self.count)
            rows, negatives = batch[own].to(self.device), drawn[own].to(self.device)
            if not len(rows):
                continue
            nodes = torch.cat([ends[:, rows].flatten(), negatives])
            final, first = self.network(nodes)
            u, p, n = final.chunk(3)
            norm = first.square().sum() / len(rows)
            loss = softplus((u * (n - p)).sum(1)).mean() + self.config.l2 * norm / 2
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()

    def _check(self, adjacency: torch.Tensor, likes: Likes, report: ReportRound) -> None:
        with torch.no_grad():
            final = _propagate(adjacency, self.table, self.config.layers).cpu()
        found = 0.0
        if not self.rank:
            found = ndcg10(lambda users: products(final, self.users, users), likes)
        if self.count > 1:  # all must agree when to stop, to the last bit
            shared = torch.tensor([found], dtype=torch.float64, device=self.device)
            distributed.broadcast(shared, 0)
            found = float(shared)
        report(self.state["epoch"], found)
        if found > self.state["best"]:
            self.state |= {"best": found, "stale": 0, "final": final}
        else:
            self.state["stale"] += 1

    def _save(self) -> None:
        parts = {
            "state": self.state,
            "table": self.table.detach(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.get_state(),
        }
        assert self.checkpoint is not None
        with draft(self.checkpoint) as part:
            torch.save(parts, part)

    def _restore(self) -> None:
        """Take up the checkpoint where it belongs to this configuration and these likes; another's
        is passed over.
        """
        if not self.checkpoint or not self.checkpoint.is_file():
            return
        kept = torch.load(self.checkpoint, weights_only=True)
        if kept["state"]["identity"] != self.state["identity"]:
            return
        self.state = kept["state"]
        with torch.no_grad():
            self.table.copy_(kept["table"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.rng.set_state(kept["rng"])


def _identity(config: LightGCNConfig, likes: Likes, processes: int) -> str:
    """What a checkpoint belongs to."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update(b"" if processes == 1 else str(processes).encode())
    for part in (likes.user, likes.item, likes.held_user, likes.held_item):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def products(final: torch.Tensor, users: int, chosen: np.ndarray) -> np.ndarray:
    """Scores of the chosen users for all items; the first `users` rows of `final` are users."""
    return (final[torch.from_numpy(chosen)] @ final[users:].T).numpy()


def _normalised_adjacency(ends: torch.Tensor, nodes: int) -> torch.Tensor:
    """Â from the edges (2, edges)."""
    row, column = torch.cat([ends[0], ends[1]]), torch.cat([ends[1], ends[0]])
    degree = torch.bincount(row, minlength=nodes).clamp(min=1).float()
    values = (degree[row] * degree[column]).rsqrt()
    warnings.filterwarnings(
        "ignore", message="Sparse (CSR tensor support|invariant checks)"
    )  # torch calls CSR beta; the indices are ours
    return (
        torch.sparse_coo_tensor(torch.stack([row, column]), values, (nodes, nodes))
        .coalesce()
        .to_sparse_csr()
    )


class _SymmetricProduct(torch.autograd.Function):
    """Â E for a symmetric Â: its backward is the same product, so the transpose is never built."""

    @staticmethod
    def forward(ctx: Any, adjacency: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        ctx.adjacency = adjacency
        return adjacency @ table

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, ctx.adjacency @ gradient


def _propagate(adjacency: torch.Tensor, table: torch.Tensor, layers: int) -> torch.Tensor:
    total, layer = table, table
    for _ in range(layers):
        layer = _SymmetricProduct.apply(adjacency, layer)  # type: ignore[no-untyped-call]
        total = total + layer
    return total / (layers + 1)
