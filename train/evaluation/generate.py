"""Batched sampling with a KV cache, for evaluation and for the CPU rollout: prompts are prefilled once, finished rows leave the batch.

Each request draws from its own generator, so its text does not depend on what else is in the batch (up to float rounding).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from train.cores import threads
from train.errors import TrainError

BATCH = 200


@dataclass(frozen=True)
class Ask:
    """One response wanted: prompt token ids, temperature (0: greedy), most new tokens, seed."""

    prompt: tuple[int, ...]
    temperature: float
    most: int
    seed: int


def placement() -> tuple[str, torch.dtype]:
    """Where and how precisely a model is evaluated: on a GPU in bfloat16 where there is one."""
    return ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model folder's model, ready to sample from, and its tokenizer. Raises TrainError for none."""
    if not (folder / "config.json").is_file():
        raise TrainError(
            f"no model folder at {folder}: it should hold config.json and weights, as `rerec train sft` writes"
        )
    torch.set_num_threads(threads())
    device, dtype = placement()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(device).eval()
    return model, AutoTokenizer.from_pretrained(folder)


def respond(
    folder: Path,
    prompts: Sequence[str],
    temperature: float,
    most: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """A model folder's response to each prompt, in order. Raises TrainError when there is no model."""
    model, tokenizer = load(folder)
    chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
    return continue_chats(model, tokenizer, chats, temperature, most, seed, progress)


def continue_chats(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    chats: Sequence[list[dict[str, str]]],
    temperature: float,
    most: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """The next message of each chat, of at most `most` tokens, in order."""
    asked = tokenizer(
        tokenizer.apply_chat_template(list(chats), add_generation_prompt=True, tokenize=False),
        add_special_tokens=False,
    )["input_ids"]
    texts: list[str] = []
    for start in range(0, len(asked), BATCH):
        asks = [
            Ask(tuple(p), temperature, most, seed + start + k)
            for k, p in enumerate(asked[start : start + BATCH])
        ]
        texts += [
            tokenizer.decode(ids, skip_special_tokens=True)
            for ids, _ in generate(model, asks, tokenizer.eos_token_id, tokenizer.pad_token_id)
        ]
        progress(len(texts), len(asked))
    return texts


@torch.inference_mode()
def generate(
    model: PreTrainedModel, asks: list[Ask], eos: int, pad: int
) -> list[tuple[list[int], list[float]]]:
    """For each ask (token ids with the closing eos where it came, log-probability of each at the sampling temperature)."""
    if not asks:
        return []
    prompts = list(dict.fromkeys(a.prompt for a in asks))
    order = sorted(range(len(asks)), key=lambda k: prompts.index(asks[k].prompt))
    copies = torch.tensor([sum(a.prompt == p for a in asks) for p in prompts])
    width, device = max(map(len, prompts)), model.device
    ids = torch.tensor([[pad] * (width - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    position = (mask.cumsum(-1) - 1).clamp(min=0)
    out = model(
        input_ids=ids, attention_mask=mask, position_ids=position, use_cache=True, logits_to_keep=1
    )
    cache, spread = (
        out.past_key_values,
        torch.repeat_interleave(torch.arange(len(prompts)), copies).to(device),
    )
    cache.batch_select_indices(spread)
    logits, mask, position = out.logits[spread, -1], mask[spread], position[spread, -1:]
    alive = [asks[k] for k in order]
    temperature = torch.tensor([max(a.temperature, 1e-6) for a in alive], device=device)[:, None]
    greedy = torch.tensor([a.temperature <= 1e-6 for a in alive], device=device)
    limit = torch.tensor([a.most for a in alive], device=device)
    draws = torch.from_numpy(
        np.stack(
            [
                np.random.default_rng(a.seed).random(a.most, np.float32).tolist()
                + [0.0] * (int(limit.max()) - a.most)
                for a in alive
            ]
        )
    ).to(device)
    place = torch.tensor(order, device=device)
    tokens: list[list[int]] = [[] for _ in asks]
    logprobs: list[list[float]] = [[] for _ in asks]
    for step in range(int(limit.max())):
        logp = (logits.float() / torch.where(greedy[:, None], 1.0, temperature)).log_softmax(-1)
        cdf = logp.exp().cumsum(-1)
        drawn = (
            (cdf < draws[:, step : step + 1] * cdf[:, -1:]).sum(-1).clamp(max=logp.shape[-1] - 1)
        )
        token = torch.where(greedy, logp.argmax(-1), drawn)
        chosen = logp.gather(1, token[:, None])[:, 0]
        for k, t, p in zip(place.tolist(), token.tolist(), chosen.tolist(), strict=True):
            tokens[k].append(t)
            logprobs[k].append(p)
        stay = ((token != eos) & (step + 1 < limit)).nonzero()[:, 0]
        if not len(stay):
            break
        if len(stay) < len(token):
            cache.batch_select_indices(stay)
            token, mask, position, place = token[stay], mask[stay], position[stay], place[stay]
            temperature, greedy, limit, draws = (
                temperature[stay],
                greedy[stay],
                limit[stay],
                draws[stay],
            )
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
        position = position + 1
        out = model(
            input_ids=token[:, None],
            attention_mask=mask,
            position_ids=position,
            past_key_values=cache,
            use_cache=True,
        )
        cache, logits = out.past_key_values, out.logits[:, -1]
    return list(zip(tokens, logprobs, strict=True))
