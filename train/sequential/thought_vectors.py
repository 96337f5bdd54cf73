"""Sentence vectors of thoughts and answers, looked up by moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from data_engine.datasets.sequences import Next
from train.sequential.thoughts import Thinker


@dataclass(frozen=True)
class ThoughtVectors:
    """Sentence vectors of the answer and the thought before each moment.

    at: the row of a moment, by user and length of history.
    vectors: (moments, 2, width) answer and thought, zero for an empty text.
    lessons: the moments among them that may be learned from.
    """

    at: dict[tuple[int, int], int]
    vectors: torch.Tensor
    lessons: list[Next]

    def before(self, nexts: Sequence[Next]) -> torch.Tensor:
        """(nexts, 2, width), zero where there is no thought."""
        rows = [self.at.get((one.user, len(one.history)), -1) for one in nexts]
        return torch.cat([self.vectors, torch.zeros(1, *self.vectors.shape[1:])])[rows]

    def only_answers(self) -> "ThoughtVectors":
        """The same without the thoughts."""
        return replace(self, vectors=self.vectors * torch.tensor([1.0, 0.0])[:, None])

    def shuffled(self, seed: int) -> "ThoughtVectors":
        """Every user with the thoughts of another: what a head must not trust."""
        users = np.array([user for user, _ in self.at])
        names, group = np.unique(users, return_inverse=True)
        shuffled_users = np.random.default_rng(seed).permutation(len(names))[group]
        order = np.argsort(shuffled_users, kind="stable")  # each user in one piece
        further = np.bincount(group).max()  # than the longest piece
        given = torch.empty_like(self.vectors)
        given[order] = self.vectors[np.roll(order, further)]
        return replace(self, vectors=given)


def encode_thoughts(
    moments: Sequence[Next],
    lessons: list[Next],
    think: Thinker,
    encode: Callable[[list[str]], np.ndarray],
) -> ThoughtVectors:
    """Think before every moment and encode the texts; `encode` gives (texts, width)."""
    texts: list[str] = []
    for one in think(moments):
        texts += [one.answer, one.thought]
    vectors = torch.from_numpy(encode(texts)).view(len(moments), 2, -1).clone()
    vectors[torch.tensor([not text.strip() for text in texts]).view(-1, 2)] = 0
    at = {(one.user, len(one.history)): k for k, one in enumerate(moments)}
    return ThoughtVectors(at, vectors, lessons)
