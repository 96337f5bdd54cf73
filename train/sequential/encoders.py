"""Encoders of histories.

The vector of a history, times the row of an item in the table, says how likely that item is next.
"""

import torch
from torch import nn

from reward_server.rechead.model import PAD, HeadConfig, RecHead, start_small


class GRU4Rec(nn.Module):
    """A gated recurrent network over the items (Hidasi et al., ICLR 2016)."""

    def __init__(self, items: int, config: HeadConfig) -> None:
        super().__init__()
        self.items = nn.Embedding(items + 1, config.dims, padding_idx=PAD)
        self.cells = nn.GRU(
            config.dims,
            config.dims,
            config.layers,
            batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        start_small(self)

    def table(self) -> torch.Tensor:
        """As `RecHead.table`."""
        return self.items.weight

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        """As `RecHead.forward`."""
        states, _ = self.cells(self.dropout(self.items(histories)))
        return states


Encoder = RecHead | GRU4Rec
ENCODERS: dict[str, type[RecHead] | type[GRU4Rec]] = {
    "sasrec": RecHead,  # without texts it is SASRec
    "gru4rec": GRU4Rec,
}
