"""Splits: of interactions by time, and of queries by the link they test."""

import hashlib

import numpy as np

from data_engine.graphs.interactions import InteractionGraph
from data_engine.schema import Condition, Split

# Cumulative shares of (gold item, condition value) links, in 256ths: test 16 %, validation 8 %, RL
# 22 %, the rest SFT.
FOLDS: tuple[tuple[int, Split], ...] = ((40, "test"), (60, "validation"), (116, "rl"), (256, "sft"))
ORDER: tuple[Split, ...] = ("sft", "rl", "validation", "test")


def interaction_split(graph: InteractionGraph) -> np.ndarray:
    """0 train, 1 validation, 2 test for each interaction: by time where the graph has times, else
    the last two of each user.
    """
    return global_time(graph) if graph.has_time else leave_last_out(graph)


def global_time(graph: InteractionGraph, shares: tuple[float, float] = (0.8, 0.1)) -> np.ndarray:
    """Everything before one moment is train, so that nobody learns from the future. The graph must
    have times.
    """
    cuts = np.quantile(graph.time, np.cumsum(shares))
    return np.searchsorted(cuts, graph.time).astype(np.int8)


def leave_last_out(graph: InteractionGraph) -> np.ndarray:
    """Each user's last interaction is test and the one before it validation, for users with three
    or more.
    """
    parts = np.zeros(len(graph.user), np.int8)
    ends = np.flatnonzero(
        np.diff(graph.user, append=-1)
    )  # rows are in user order: the last row of each user
    starts = np.concatenate([[0], ends[:-1] + 1])
    for start, end in zip(starts, ends, strict=True):
        if end - start >= 2:
            parts[end], parts[end - 1] = 2, 1
    return parts


def link_fold(item: str, value: str) -> Split:
    """The split a (gold item, condition value) link lives in: a hash, so it never moves as data
    grows.
    """
    byte = hashlib.sha256(f"{item}|{value}".encode()).digest()[0]
    return next(split for bound, split in FOLDS if byte < bound)


def query_split(gold: str, conditions: tuple[Condition, ...]) -> Split:
    """A query takes the highest fold of its links, so that a test query holds a combination no
    training query shows.
    """
    return max((link_fold(gold, c.value) for c in conditions), key=ORDER.index)
