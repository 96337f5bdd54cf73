"""From a history of items to a vector whose product with an item's embedding says how likely that item is next."""

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

PAD = 0  # item k of the catalogue is k + 1 in here


class EncoderConfig(BaseModel):
    """Sizes; `length` is how many of the last items are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dims: int = Field(64, ge=2)
    layers: int = Field(2, ge=1)
    heads: int = Field(2, ge=1)
    length: int = Field(50, ge=2)
    dropout: float = Field(0.2, ge=0, lt=1)


class SASRec(nn.Module):
    """Self-attention over positions, causal (Kang and McAuley, ICDM 2018); item embeddings serve at both ends."""

    def __init__(self, items: int, config: EncoderConfig) -> None:
        super().__init__()
        self.items = nn.Embedding(items + 1, config.dims, padding_idx=PAD)
        self.places = nn.Embedding(config.length, config.dims)
        layer = nn.TransformerEncoderLayer(config.dims, config.heads, 4 * config.dims, config.dropout, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(config.dims), enable_nested_tensor=False)
        self.dropout = nn.Dropout(config.dropout)
        _small(self)

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        """(batch, length) item numbers, padded behind, to (batch, length, dims): at each place what is expected after it."""
        width = histories.shape[1]
        told = self.items(histories) + self.places(torch.arange(width, device=histories.device))
        ahead = torch.ones(width, width, dtype=torch.bool, device=histories.device).triu(1)  # padding lies ahead of every item too
        return self.blocks(self.dropout(told), mask=ahead, is_causal=True)


class GRU4Rec(nn.Module):
    """A gated recurrent network over the items (Hidasi et al., ICLR 2016)."""

    def __init__(self, items: int, config: EncoderConfig) -> None:
        super().__init__()
        self.items = nn.Embedding(items + 1, config.dims, padding_idx=PAD)
        self.cells = nn.GRU(config.dims, config.dims, config.layers, batch_first=True, dropout=config.dropout if config.layers > 1 else 0.0)
        self.dropout = nn.Dropout(config.dropout)
        _small(self)

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        """As `SASRec.forward`."""
        return self.cells(self.dropout(self.items(histories)))[0]


def _small(module: nn.Module) -> None:
    """Embeddings that start near zero, so that no item is ahead by chance."""
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=0.02)
            if part.padding_idx is not None:
                nn.init.zeros_(part.weight[part.padding_idx])


ENCODERS: dict[str, type[nn.Module]] = {"sasrec": SASRec, "gru4rec": GRU4Rec}
