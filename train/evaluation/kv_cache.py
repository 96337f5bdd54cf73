"""Keys and values that are written in place, and the attention of a new token over them.

transformers' own cache copies all keys and values at every token, and its attention under a mask
repeats them for each head of a group.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

GROUPED = "rerec_grouped"


class RoomyLayer(DynamicLayer):
    """Keys and values of a layer, (rows, heads, tokens, size), with room for so many tokens."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """transformers' interface: called with the first keys and values."""
        super().lazy_initialization(key_states, value_states)
        self._all_keys, self._all_values = self._empty(key_states), self._empty(value_states)
        self._show(0)

    def _empty(self, like: torch.Tensor) -> torch.Tensor:
        rows, heads, _, size = like.shape
        return like.new_empty(rows, heads, self.room, size)

    def _show(self, tokens: int) -> None:
        self.keys, self.values = self._all_keys[:, :, :tokens], self._all_values[:, :, :tokens]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values, the new ones last."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.keys.shape[-2]
        self._show(start + key_states.shape[-2])
        self.keys[:, :, start:] = key_states
        self.values[:, :, start:] = value_states
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows, in this order; a row may be named more than once."""
        tokens, keys, values = self.keys.shape[-2], self.keys[indices], self.values[indices]
        self._all_keys, self._all_values = self._empty(keys), self._empty(values)
        self._show(tokens)
        self.keys.copy_(keys)
        self.values.copy_(values)


def grouped_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **given: Any,
) -> tuple[torch.Tensor, None]:
    """One token's heads (rows, heads, 1, size) as queries of the keys that their group shares."""
    rows, heads, tokens, size = query.shape
    if tokens > 1:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **given
        )
    grouped = query.reshape(rows, key.shape[1], heads // key.shape[1], size)
    found = scaled_dot_product_attention(
        grouped, key, value, attn_mask=attention_mask, scale=scaling
    )
    return found.reshape(rows, 1, heads, size), None


ALL_ATTENTION_FUNCTIONS.register(GROUPED, grouped_attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(GROUPED, sdpa_mask)


def cache_for(model: PreTrainedModel, room: int) -> DynamicCache:
    """An empty cache; layers that see all earlier tokens are RoomyLayers."""
    cache = DynamicCache(config=model.config)
    cache.layers = [
        RoomyLayer(room) if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]
    return cache


def sees_all(cache: DynamicCache) -> bool:
    """Whether every layer sees all earlier tokens, so that one mask serves all of them."""
    return all(isinstance(layer, RoomyLayer) for layer in cache.layers)


@contextmanager
def grouped(model: PreTrainedModel) -> Iterator[None]:
    """Use `grouped_attention` where the model would use torch's own attention."""
    if model.config._attn_implementation != "sdpa":
        yield
        return
    model.set_attn_implementation(GROUPED)
    try:
        yield
    finally:
        model.set_attn_implementation("sdpa")
