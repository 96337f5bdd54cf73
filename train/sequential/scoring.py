"""A trained encoder as a scorer of the catalogue."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from data_engine.datasets.sequences import Next
from reward_server.rechead.model import PAD, RecHead
from train.sequential.encoders import Encoder
from train.sequential.thought_vectors import ThoughtVectors


class EncoderScorer:
    """Scores all items after each moment; a RecHead reads `thoughts` too, where there are any.

    Only the last `length` items of a history are read.
    """

    def __init__(self, model: Encoder, length: int, thoughts: ThoughtVectors | None = None) -> None:
        self.model, self.length, self.thoughts = model.eval(), length, thoughts

    @torch.no_grad()
    def __call__(self, nexts: Sequence[Next]) -> np.ndarray:
        """(nexts, items) scores."""
        states = last_states(self.model, nexts, self.length)
        if self.thoughts:
            states = with_thoughts(self.model, states, self.thoughts.before(nexts))
        return (states @ self.model.table()[1:].T).numpy()


def last_states(model: Encoder, nexts: Sequence[Next], length: int) -> torch.Tensor:
    """(nexts, dims): the state after each history."""
    read = [torch.from_numpy(one.history[-length:] + 1) for one in nexts]
    last = torch.tensor([len(history) - 1 for history in read])
    states = model(pad_sequence(read, batch_first=True, padding_value=PAD))
    return states[torch.arange(len(read)), last]


def with_thoughts(model: Encoder, states: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """States (batch, dims), and answer and thought (batch, 2, width) as a RecHead gates them in."""
    assert isinstance(model, RecHead), "only a RecHead reads thoughts"
    return model.fuse_texts(states, vectors)
