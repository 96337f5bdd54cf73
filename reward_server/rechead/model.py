"""RecHead (RPORec, arXiv 2605.21967): history, thought and answer to a ranking of the catalogue.

A causal Transformer reads the history. A soft gate for each text, answer and thought, lets in what
the text says, as far as it fits the history. Without texts it is SASRec (Kang and McAuley, ICDM
2018). Item k of the catalogue is number k + 1 here; 0 is padding.
"""

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import normalize

from data_engine.runtime.config import Config

PAD = 0


class HeadConfig(Config):
    """Sizes of a RecHead; `length` is the number of last items that are read."""

    dims: int = Field(64, ge=2)
    layers: int = Field(2, ge=1)
    heads: int = Field(2, ge=1)
    length: int = Field(50, ge=2)
    dropout: float = Field(0.2, ge=0, lt=1)


class RecHead(nn.Module):
    """The network. Names of its parts are the parameter names of saved weights: keep them.

    items, places: embeddings of items and of positions. blocks: the Transformer.
    With `texts`, sentence vectors of the items, shape (items, width):
    texts: those vectors, centred by their mean `middle`, of unit length, one row of padding first.
    reads, hears: projections of item texts, and of answers and thoughts, to the width of states.
    gates: one for the answer, one for the thought.
    """

    middle: torch.Tensor
    texts: torch.Tensor
    reads: nn.Linear
    hears: nn.Linear
    gates: nn.ModuleList

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
            self._add_texts(texts, config.dims)

    def _add_texts(self, texts: torch.Tensor, dims: int) -> None:
        width = texts.shape[1]
        middle = texts.mean(0)  # what all items' texts share distinguishes none
        centred = normalize(texts - middle, dim=1)
        self.register_buffer("middle", middle)
        self.register_buffer("texts", torch.cat([torch.zeros(1, width), centred]))
        self.reads = nn.Linear(width, dims, bias=False)
        self.hears = nn.Linear(width, dims, bias=False)
        gates = [nn.Linear(3 * dims, dims) for _ in ("answer", "thought")]
        self.gates = nn.ModuleList(gates)
        # Keeps lengths: items with similar texts are similar from the start.
        nn.init.normal_(self.reads.weight, std=dims**-0.5)
        self.hears.load_state_dict(self.reads.state_dict())
        for gate in gates:
            nn.init.zeros_(gate.weight)
            nn.init.constant_(gate.bias, -1.0)  # rather shut: history first

    def table(self) -> torch.Tensor:
        """(items + 1, dims): an item's row times a state is the item's score."""
        if not hasattr(self, "reads"):
            return self.items.weight
        projected: torch.Tensor = self.reads(self.texts)
        return self.items.weight + projected

    def forward(self, histories: torch.Tensor) -> torch.Tensor:
        """The state after each item of the histories, shape (batch, length, dims).

        histories: item numbers, (batch, length), padded at the end.
        """
        width = histories.shape[1]
        positions = self.places(torch.arange(width, device=histories.device))
        inputs = self.table()[histories] + positions
        # Padding comes after every item too, so that this hides it as well.
        later = torch.ones(width, width, dtype=torch.bool, device=histories.device).triu(1)
        states: torch.Tensor = self.blocks(self.dropout(inputs), mask=later, is_causal=True)
        return states

    def fuse_texts(self, states: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """States with what answer and thought say, shape (batch, dims).

        state + Σ g ⊙ text, g = σ(W [state; text; state ⊙ text]): a shut gate leaves the history's
        state.

        states: (batch, dims). vectors: (batch, 2, width), sentence vectors of answer and thought,
        zero where there is none.
        """
        present = vectors.any(2, keepdim=True)
        texts = self.hears(normalize(vectors - self.middle, dim=2) * present)
        fused = states
        for gate, text in zip(self.gates, texts.unbind(1), strict=True):
            features = torch.cat([states, text, states * text], 1)
            fused = fused + torch.sigmoid(gate(features)) * text
        return fused


def start_small(module: nn.Module) -> None:
    """Initialise embeddings near zero, so that no item is ahead by chance."""
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=0.02)
            if part.padding_idx is not None:
                nn.init.zeros_(part.weight[part.padding_idx])
