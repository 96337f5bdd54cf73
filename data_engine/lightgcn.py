"""LightGCN (He et al., SIGIR 2020, arXiv 2002.02126) trained with BPR: item embeddings for the preference alignment score.

Propagation is E' = Â E with Â = D^-1/2 A D^-1/2; the final embedding is the mean over layers 0..L (eq. 6–8). Only embeddings
are learned. Negatives are uniform; the regulariser is on layer-0 embeddings of the batch (eq. 15).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from data_engine.errors import DataError
from data_engine.graphs import InteractionGraph
from data_engine.splits import interaction_split


class LightGCNConfig(BaseModel):
    """Training settings. `epochs` is the most; training stops after `patience` checks without a better validation NDCG@10."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dims: int = Field(64, ge=2, le=1024)
    layers: int = Field(3, ge=1, le=8)
    epochs: int = Field(60, ge=1)
    batch: int = Field(8192, ge=1)
    lr: float = Field(0.01, gt=0)
    l2: float = Field(1e-4, ge=0)
    check_every: int = Field(1, ge=1)
    patience: int = Field(6, ge=1)
    seed: int = 0


@dataclass(frozen=True)
class Embedded:
    """`vectors` (items, dims) in the graph's item order, all-zero rows (never liked in training) already taken out; and the figures."""

    items: list[str]
    vectors: np.ndarray
    validation_ndcg10: float
    epochs: int


def train(graph: InteractionGraph, config: LightGCNConfig, progress: Callable[[int, float], None] = lambda epoch, ndcg: None) -> Embedded:
    """Learn embeddings from the liked train interactions. `progress` hears (epoch, validation NDCG@10) at each check.

    Raises DataError when nothing is liked in the train part.
    """
    torch.manual_seed(config.seed)
    split = interaction_split(graph)
    train_rows, held_rows = graph.positive & (split == 0), graph.positive & (split == 1)
    if not train_rows.any():
        raise DataError("no liked interactions (rating 4 or more, or unrated) in the train part: nothing to embed")
    user, item = torch.from_numpy(graph.user[train_rows]).long(), torch.from_numpy(graph.item[train_rows]).long()
    users, items = len(graph.users), len(graph.items)
    adjacency = _normalised_adjacency(user, item, users, items)
    table = torch.nn.init.normal_(torch.empty(users + items, config.dims), std=0.1).requires_grad_()
    optimiser = torch.optim.Adam([table], lr=config.lr)
    best, best_vectors, stale, epoch = -1.0, table.detach(), 0, 0
    for epoch in range(1, config.epochs + 1):
        for rows in torch.randperm(len(user)).split(config.batch):
            final = _propagate(adjacency, table, config.layers)
            u, p = user[rows], item[rows] + users
            n = torch.randint(items, (len(rows),)) + users
            gap = (final[u] * (final[p] - final[n])).sum(1)
            loss = (
                torch.nn.functional.softplus(-gap).mean() + config.l2 * (table[u].square() + table[p].square() + table[n].square()).sum(1).mean() / 2
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if epoch % config.check_every == 0 or epoch == config.epochs:
            with torch.no_grad():
                final = _propagate(adjacency, table, config.layers)
            ndcg = _ndcg10(final[:users], final[users:], graph, train_rows, held_rows)
            progress(epoch, ndcg)
            if ndcg > best:
                best, best_vectors, stale = ndcg, final, 0
            else:
                stale += 1
            if stale >= config.patience:
                break
    seen = np.unique(graph.item[train_rows])
    return Embedded([graph.items[k] for k in seen], best_vectors[users:][torch.from_numpy(seen)].numpy(), best, epoch)


def _normalised_adjacency(user: torch.Tensor, item: torch.Tensor, users: int, items: int) -> torch.Tensor:
    row, column = torch.cat([user, item + users]), torch.cat([item + users, user])
    degree = torch.bincount(row, minlength=users + items).clamp(min=1).float()
    values = (degree[row] * degree[column]).rsqrt()
    warnings.filterwarnings("ignore", message="Sparse (CSR tensor support|invariant checks)")  # torch calls CSR beta; the indices are ours
    return torch.sparse_coo_tensor(torch.stack([row, column]), values, (users + items, users + items)).coalesce().to_sparse_csr()


class _SymmetricProduct(torch.autograd.Function):
    """Â E for a symmetric Â: its backward is the same product, so the transpose is never built."""

    @staticmethod
    def forward(ctx: object, adjacency: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        ctx.adjacency = adjacency
        return adjacency @ table

    @staticmethod
    def backward(ctx: object, gradient: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, ctx.adjacency @ gradient


def _propagate(adjacency: torch.Tensor, table: torch.Tensor, layers: int) -> torch.Tensor:
    total, layer = table, table
    for _ in range(layers):
        layer = _SymmetricProduct.apply(adjacency, layer)
        total = total + layer
    return total / (layers + 1)


def _ndcg10(user_vectors: torch.Tensor, item_vectors: torch.Tensor, graph: InteractionGraph, train_rows: np.ndarray, held_rows: np.ndarray) -> float:
    """Mean NDCG@10 of held-out likes over users who have some, ranking all items not liked in training."""
    held_users = np.unique(graph.user[held_rows])
    if not len(held_users):
        return 0.0
    scores = user_vectors[torch.from_numpy(held_users)] @ item_vectors.T
    place = {u: k for k, u in enumerate(held_users)}
    truth = np.zeros(scores.shape, bool)
    for rows, write in ((train_rows, lambda k, i: scores.__setitem__((k, i), -torch.inf)), (held_rows, lambda k, i: truth.__setitem__((k, i), True))):
        inside = rows & np.isin(graph.user, held_users)
        write(np.array([place[u] for u in graph.user[inside]], np.int64), graph.item[inside])
    top = scores.topk(min(10, scores.shape[1])).indices.numpy()
    gains = np.take_along_axis(truth, top, 1) / np.log2(np.arange(2, top.shape[1] + 2))
    ideal = np.array([(1 / np.log2(np.arange(2, min(n, top.shape[1]) + 2))).sum() for n in truth.sum(1)])
    return float((gains.sum(1) / ideal).mean())
