"""Batched sampling with a KV cache: prompts are prefilled once, finished rows leave the batch.

Each request draws from a generator of its own, so its text does not depend on what else is in the
batch (up to float rounding).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from train.evaluation.kv_cache import cache_for, grouped, sees_all

LEAST_TEMPERATURE = 1e-6  # at or below it decoding is greedy
LEAST_DRAW = 2.0**-25  # 0 would draw the first token, however improbable
MOST_FINISHED = 1 / 8  # of the rows: more leave the batch, which copies the cache of the others


@dataclass(frozen=True)
class SamplingRequest:
    """One response to generate.

    prompt: token ids; temperature: 0 is greedy; max_tokens: of the response; top_p: the mass, in
    0..1, of the most probable tokens that are drawn from.
    """

    prompt: tuple[int, ...]
    temperature: float
    max_tokens: int
    seed: int
    top_p: float = 1.0


@dataclass
class _Rows:
    """Per row of the batch, on the device of the model; (rows,) but where it says otherwise."""

    place: torch.Tensor  # number of the request
    temperature: torch.Tensor  # (rows, 1)
    greedy: torch.Tensor
    top_p: torch.Tensor  # (rows, 1)
    limit: torch.Tensor  # tokens of the response at most
    draws: torch.Tensor  # (rows, steps) uniform in (0, 1)
    mask: torch.Tensor  # (rows, room) 1 for a token, 0 for padding before the prompt
    position: torch.Tensor  # (rows, 1) of the last token
    logits: torch.Tensor  # (rows, vocabulary) of the next token
    unfinished: torch.Tensor

    def keep(self, rows: torch.Tensor) -> None:
        """Drop all rows but these."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])


@dataclass
class _Responses:
    """What was drawn, (requests, steps), and how many tokens of it each response has."""

    tokens: torch.Tensor
    logprobs: torch.Tensor
    lengths: torch.Tensor

    def lists(self) -> list[tuple[list[int], list[float]]]:
        """Per request its token ids and their log-probabilities."""
        every = zip(self.tokens.tolist(), self.logprobs.tolist(), strict=True)
        lengths = self.lengths.tolist()
        return [(ids[:n], found[:n]) for (ids, found), n in zip(every, lengths, strict=True)]


@torch.inference_mode()
def generate(
    model: PreTrainedModel, requests: Sequence[SamplingRequest], eos: int, pad: int
) -> list[tuple[list[int], list[float]]]:
    """Per request the token ids of the response and the log-probability of each.

    The closing eos is among them where it came. Log-probabilities are those at the sampling
    temperature, at 1 where decoding is greedy, and those before `top_p`.
    """
    if not requests:
        return []
    with grouped(model):
        return _generate(model, requests, eos, pad).lists()


def _generate(
    model: PreTrainedModel, requests: Sequence[SamplingRequest], eos: int, pad: int
) -> _Responses:
    rows, cache = _prefill(model, requests, pad)
    steps = int(rows.limit.max())
    found = _Responses(
        tokens=rows.place.new_zeros(len(requests), steps),
        logprobs=rows.logits.new_zeros(len(requests), steps, dtype=torch.float32),
        lengths=rows.place.new_zeros(len(requests)),
    )
    for step in range(steps):
        token, logprob = _draw(rows, step)
        found.tokens[rows.place, step] = token
        found.logprobs[rows.place, step] = logprob
        found.lengths[rows.place] += rows.unfinished
        rows.unfinished &= (token != eos) & (step + 1 < rows.limit)
        left = int(rows.unfinished.sum())
        if not left:
            break
        if left < (1 - MOST_FINISHED) * len(token):
            kept = rows.unfinished.nonzero()[:, 0]
            cache.batch_select_indices(kept)
            rows.keep(kept)
            token = token[kept]
        _advance(model, rows, cache, token)
    return found


def _prefill(
    model: PreTrainedModel, requests: Sequence[SamplingRequest], pad: int
) -> tuple[_Rows, DynamicCache]:
    """The rows of the requests, those with the same prompt side by side, and their cache."""
    device = model.device
    prompts = list(dict.fromkeys(request.prompt for request in requests))
    number = {prompt: k for k, prompt in enumerate(prompts)}
    order = sorted(range(len(requests)), key=lambda k: number[requests[k].prompt])
    ordered = [requests[k] for k in order]
    width = max(map(len, prompts))
    room = width + max(request.max_tokens for request in requests)
    padding = [width - len(p) for p in prompts]
    ids = torch.tensor(
        [[pad] * n + list(p) for n, p in zip(padding, prompts, strict=True)], device=device
    )
    mask = (torch.arange(room)[None] >= torch.tensor(padding)[:, None]).long().to(device)
    position = (mask[:, :width].cumsum(-1) - 1).clamp(min=0)
    cache = cache_for(model, room)
    out = model(
        input_ids=ids,
        attention_mask=mask[:, :width],
        position_ids=position,
        past_key_values=cache,
        logits_to_keep=1,
    )
    copies = torch.tensor([number[request.prompt] for request in ordered], device=device)
    cache.batch_select_indices(copies)
    rows = _Rows(
        **_settings(ordered, device),
        place=torch.tensor(order, device=device),
        mask=mask[copies],
        position=position[copies, -1:],
        logits=out.logits[copies, -1],
        unfinished=torch.ones(len(requests), dtype=torch.bool, device=device),
    )
    return rows, cache


def _settings(requests: Sequence[SamplingRequest], device: torch.device) -> dict[str, torch.Tensor]:
    """The fields of `_Rows` that are asked for."""
    temperature = torch.tensor([request.temperature for request in requests], device=device)
    return {
        "temperature": temperature.clamp(min=LEAST_TEMPERATURE)[:, None],
        "greedy": temperature <= LEAST_TEMPERATURE,
        "top_p": torch.tensor([request.top_p for request in requests], device=device)[:, None],
        "limit": torch.tensor([request.max_tokens for request in requests], device=device),
        "draws": _uniform_draws(requests).to(device),
    }


def _uniform_draws(requests: Sequence[SamplingRequest]) -> torch.Tensor:
    """(requests, most steps) numbers in (0, 1) from the seed of each request, then zeros."""
    found = np.zeros((len(requests), max(request.max_tokens for request in requests)))
    for row, request in zip(found, requests, strict=True):
        generator = np.random.default_rng(request.seed)
        drawn = generator.random(request.max_tokens, np.float32)
        row[: request.max_tokens] = drawn.clip(LEAST_DRAW)
    return torch.from_numpy(found)


def _draw(rows: _Rows, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of each row and its log-probability."""
    scale = torch.where(rows.greedy[:, None], 1.0, rows.temperature)
    scaled = rows.logits.float() / scale
    token = scaled.argmax(-1)
    mass = scaled.logsumexp(-1, keepdim=True)
    if not bool(rows.greedy.all()):
        drawable = scaled - mass
        if bool((rows.top_p < 1).any()):
            drawable = _nucleus(drawable, rows.top_p)
        cdf = drawable.exp_().cumsum(-1)
        drawn = torch.searchsorted(cdf, rows.draws[:, step : step + 1].float() * cdf[:, -1:])[:, 0]
        token = torch.where(rows.greedy, token, drawn.clamp(max=cdf.shape[-1] - 1))
    return token, (scaled.gather(1, token[:, None]) - mass)[:, 0]


def _nucleus(logp: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """`logp` (rows, vocabulary), −inf outside the fewest tokens of mass `top_p` (rows, 1).

    Holtzman et al., arXiv 1904.09751.
    """
    ordered, order = logp.sort(dim=-1, descending=True, stable=True)
    before = ordered.exp().cumsum(-1) - ordered.exp()
    before[:, 0] = 0  # the most probable one is always kept
    dropped = torch.zeros_like(order, dtype=torch.bool).scatter(1, order, before >= top_p)
    return logp.masked_fill(dropped, -torch.inf)


def _advance(model: PreTrainedModel, rows: _Rows, cache: DynamicCache, token: torch.Tensor) -> None:
    """Read the token of each row."""
    rows.position = rows.position + 1
    out = model(
        input_ids=token[:, None],
        attention_mask=_mask(model, rows, cache, cache.get_seq_length() + 1),
        position_ids=rows.position,
        past_key_values=cache,
    )
    rows.logits = out.logits[:, -1]


def _mask(
    model: PreTrainedModel, rows: _Rows, cache: DynamicCache, tokens: int
) -> torch.Tensor | None:
    """What the next token may see of so many tokens; None is all.

    (rows, 1, 1, tokens), which is added to the scores, is taken by attention as it is; where layers
    see different tokens, transformers makes its masks from (rows, tokens).
    """
    seen = rows.mask[:, :tokens]
    if not sees_all(cache):
        return seen
    if bool(seen.all()):
        return None
    added = torch.zeros(seen.shape, dtype=model.dtype, device=model.device)
    return added.masked_fill(seen == 0, -torch.inf)[:, None, None]
