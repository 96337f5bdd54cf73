"""Batched sampling with a KV cache: prompts are prefilled once, finished rows leave the batch.

Each request draws from a generator of its own, so its text does not depend on what else is in the
batch (up to float rounding).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from transformers import Cache, PreTrainedModel

LEAST_TEMPERATURE = 1e-6  # at or below it decoding is greedy
LEAST_DRAW = 2.0**-25  # 0 would draw the first token, however improbable


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
    mask: torch.Tensor  # (rows, tokens so far) attention
    position: torch.Tensor  # (rows, 1) of the last token
    logits: torch.Tensor  # (rows, vocabulary) of the next token

    def keep(self, rows: torch.Tensor) -> None:
        """Drop all rows but these."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])


def generate(
    model: PreTrainedModel, requests: Sequence[SamplingRequest], eos: int, pad: int
) -> list[tuple[list[int], list[float]]]:
    """Per request the token ids of the response and the log-probability of each.

    The closing eos is among them where it came. Log-probabilities are those at the sampling
    temperature, at 1 where decoding is greedy, and those before `top_p`.
    """
    tokens: list[list[int]] = [[] for _ in requests]
    logprobs: list[list[float]] = [[] for _ in requests]
    for places, drawn, found in steps(model, requests, eos, pad) if requests else ():
        for k, token, logprob in zip(places, drawn, found, strict=True):
            tokens[k].append(token)
            logprobs[k].append(logprob)
    return list(zip(tokens, logprobs, strict=True))


@torch.inference_mode()
def steps(
    model: PreTrainedModel, requests: Sequence[SamplingRequest], eos: int, pad: int
) -> Iterator[tuple[list[int], list[int], list[float]]]:
    """As `generate`, step by step: the places of the requests that go on, the next token of each,
    its log-probability.
    """
    rows, cache = _prefill(model, requests, pad)
    for step in range(int(rows.limit.max())):
        token, logprob = _draw(rows, step)
        yield rows.place.tolist(), token.tolist(), logprob.tolist()
        unfinished = ((token != eos) & (step + 1 < rows.limit)).nonzero()[:, 0]
        if not len(unfinished):
            break
        if len(unfinished) < len(token):
            cache.batch_select_indices(unfinished)
            rows.keep(unfinished)
            token = token[unfinished]
        _advance(model, rows, cache, token)


def _prefill(
    model: PreTrainedModel, requests: Sequence[SamplingRequest], pad: int
) -> tuple[_Rows, Cache]:
    """The rows of the requests, those with the same prompt side by side, and their cache."""
    device = model.device
    prompts = list(dict.fromkeys(request.prompt for request in requests))
    number = {prompt: k for k, prompt in enumerate(prompts)}
    order = sorted(range(len(requests)), key=lambda k: number[requests[k].prompt])
    ordered = [requests[k] for k in order]
    width = max(map(len, prompts))
    ids = torch.tensor([[pad] * (width - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    position = (mask.cumsum(-1) - 1).clamp(min=0)
    out = model(
        input_ids=ids, attention_mask=mask, position_ids=position, use_cache=True, logits_to_keep=1
    )
    copies = torch.tensor([number[request.prompt] for request in ordered], device=device)
    out.past_key_values.batch_select_indices(copies)
    temperatures = [request.temperature for request in ordered]
    rows = _Rows(
        place=torch.tensor(order, device=device),
        temperature=torch.tensor([max(t, LEAST_TEMPERATURE) for t in temperatures], device=device)[
            :, None
        ],
        greedy=torch.tensor([t <= LEAST_TEMPERATURE for t in temperatures], device=device),
        top_p=torch.tensor([request.top_p for request in ordered], device=device)[:, None],
        limit=torch.tensor([request.max_tokens for request in ordered], device=device),
        draws=_uniform_draws(ordered).to(device),
        mask=mask[copies],
        position=position[copies, -1:],
        logits=out.logits[copies, -1],
    )
    return rows, out.past_key_values


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
    logp = (rows.logits.float() / scale).log_softmax(-1)
    drawable = _nucleus(logp, rows.top_p) if bool((rows.top_p < 1).any()) else logp
    cdf = drawable.exp().cumsum(-1)
    below = cdf < rows.draws[:, step : step + 1] * cdf[:, -1:]
    drawn = below.sum(-1).clamp(max=logp.shape[-1] - 1)
    token = torch.where(rows.greedy, logp.argmax(-1), drawn)
    return token, logp.gather(1, token[:, None])[:, 0]


def _nucleus(logp: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """`logp` (rows, vocabulary), −inf outside the fewest tokens of mass `top_p` (rows, 1).

    Holtzman et al., arXiv 1904.09751.
    """
    ordered, order = logp.sort(dim=-1, descending=True, stable=True)
    before = ordered.exp().cumsum(-1) - ordered.exp()
    before[:, 0] = 0  # the most probable one is always kept
    dropped = torch.zeros_like(order, dtype=torch.bool).scatter(1, order, before >= top_p)
    return logp.masked_fill(dropped, -torch.inf)


def _advance(model: PreTrainedModel, rows: _Rows, cache: Cache, token: torch.Tensor) -> None:
    """Read the token of each row."""
    rows.mask = torch.cat([rows.mask, torch.ones_like(rows.mask[:, :1])], 1)
    rows.position = rows.position + 1
    out = model(
        input_ids=token[:, None],
        attention_mask=rows.mask,
        position_ids=rows.position,
        past_key_values=cache,
        use_cache=True,
    )
    rows.logits = out.logits[:, -1]
