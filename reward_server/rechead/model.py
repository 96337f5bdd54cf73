"""RecHead (RPORec, arXiv 2605.21967): history, chain of thought and answer to a ranking of the whole catalogue.

A causal Transformer reads the history; a soft gate each lets in what the answer and the thought say, as far as they fit it. Without texts it is
SASRec (Kang and McAuley, ICDM 2018). Item k of the catalogue is k + 1 in here; 0 pads.
"""

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import normalize

from data_engine.runtime.config import Config

PAD = 0


class HeadConfig(Config):
    """Sizes; `length` is how many of the last items are read."""

    dims: int = Field(64, ge=2)
    layers: int = Field(2, ge=1)
    heads: int = Field(2, ge=1)
    length: int = Field(50, ge=2)
    dropout: float = Field(0.2, ge=0, lt=1)


class RecHead(nn.Module):
    """`texts` are the items' sentence vectors, (items, width); None for a catalogue known by its interactions only."""

    def __init__(self, items: int, config: HeadConfig, texts: torch.Tensor | None = None) -> None:
        super().__init__()
        self.items = nn.Embedding(items + 1, config.dims, padding_idx=PAD)
        self.places = nn.Embedding(config.length, config.dims)
        layer = nn.TransformerEncoderLayer(
            config.dims,
            config.heads,
            4 * config.dims,
            config.dropout,
            "gelu",
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(
            layer, config.layers, nn.LayerNorm(config.dims), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(config.dropout)
        start_small(self)
        if texts is not None:
            middle = texts.mean(0)  # what all items' texts share tells nothing
            self.register_buffer("middle", middle)
            self.register_buffer(
                "texts",
                torch.cat([torch.zeros(1, texts.shape[1]), normalize(texts - middle, dim=1)]),
            )
            self.reads, self.hears = (
                nn.Linear(texts.shape[1], config.dims, bias=False)
                for _ in ("items", "answers and thoughts")
            )
            self.gates = nn.ModuleList(
                nn.Linear(3 * config.dims, config.dims) for _ in ("answer", "thought")
            )
            nn.init.normal_(
                self.reads.weight, std=config.dims**-0.5
            )  # keeps lengths: what is alike in words is alike from the start
            self.hears.load_state_dict(self.reads.state_dict())
            for gate in self.gates:
                nn.init.zeros_(gate.weight)
                nn.init.constant_(gate.bias, -1.0)  # rather shut: history first

    def table(self) -> torch.Tensor:
        """(items + 1, dims): what a state is multiplied with."""
        return (
            self.items.weight + self.reads(self.texts)
            if hasattr(self, "reads")
            else self.items.weight
        )

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        """(batch, length) item numbers, padded behind, to (batch, length, dims): at each place what is expected after it."""
        width = histories.shape[1]
        told = self.table()[histories] + self.places(torch.arange(width, device=histories.device))
        ahead = torch.ones(width, width, dtype=torch.bool, device=histories.device).triu(
            1
        )  # padding lies ahead of every item too
        return self.blocks(self.dropout(told), mask=ahead, is_causal=True)

    def heed(self, states: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
        """States (batch, dims) with what was said, (batch, 2, width): sentence vectors of answer and thought, zero where there is none.

        state + Σ g ⊙ text, g = σ(W [state; text; state ⊙ text]): a gate that shuts leaves the history's state.
        """
        heard, told = states, said.any(2, keepdim=True)
        for gate, text in zip(
            self.gates,
            self.hears(normalize(said - self.middle, dim=2) * told).unbind(1),
            strict=True,
        ):
            heard = heard + torch.sigmoid(gate(torch.cat([states, text, states * text], 1))) * text
        return heard


def start_small(module: nn.Module) -> None:
    """Embeddings that start near zero, so that no item is ahead by chance."""
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=0.02)
            if part.padding_idx is not None:
                nn.init.zeros_(part.weight[part.padding_idx])
