"""Supervised fine-tuning of the tiny policy, as measured to work (TINY.md): gold chains under name shuffling, then an imperfect teacher.

Phase A shows gold chains; names are consistently swapped for others of their group in a growing share of samples, so that the
policy learns to read the facts it is given, not to remember who goes with what. Phase B lets a share of the samples follow the
Examples' flawed chains: the reinforcement start is a policy that knows both careful reasoning and shortcuts, and the lift of
RFT is measured from there.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from pydantic import BaseModel, ConfigDict, Field
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from data_engine.evidence import Evidence
from data_engine.schema import Example
from train.prompts import open_book, response


class SFTConfig(BaseModel):
    """Steps of each phase and the optimiser. `flawed` is the share of phase-B samples that follow a flawed chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    gold_steps: int = Field(2000, ge=1)
    mixed_steps: int = Field(1100, ge=0)
    batch: int = Field(16, ge=1)
    lr: float = Field(3e-3, gt=0)
    flawed: float = Field(0.5, ge=0, le=1)
    shuffled: float = Field(0.6, ge=0, le=1)
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """One Example as token ids: the prompt, the gold response, the flawed ones."""

    prompt: list[int]
    gold: list[int]
    flawed: list[list[int]]


def encode(examples: list[Example], evidence: Evidence, tokenizer: PreTrainedTokenizerBase) -> list[Sample]:
    """Tokenise prompts (through the chat template) and chains (closed by the end token)."""
    chats = tokenizer.apply_chat_template([[{"role": "user", "content": open_book(e, evidence)}] for e in examples], add_generation_prompt=True, tokenize=False)
    answers = [[response(c, evidence) + tokenizer.eos_token for c in e.chains] for e in examples]
    prompts = tokenizer(chats, add_special_tokens=False)["input_ids"]
    flat = iter(tokenizer([a for row in answers for a in row], add_special_tokens=False)["input_ids"])
    return [Sample(p, next(flat), [next(flat) for _ in row[1:]]) for p, row in zip(prompts, answers, strict=True)]


class NameShuffler:
    """Swaps entity ids for others of their group, the same way through prompt and response of one sample."""

    def __init__(self, entities: dict[str, list[int]], rng: random.Random) -> None:
        self.rng, self.groups = rng, {name: ids for name, ids in entities.items() if ids}
        self.group_of = {i: name for name, ids in self.groups.items() for i in ids}

    def __call__(self, prompt: list[int], answer: list[int]) -> tuple[list[int], list[int]]:
        """Fresh names for every entity; the small category group is permuted as a whole, in half of the samples."""
        swap: dict[int, int] = {}
        for name, ids in self.groups.items():
            if name == "category":
                if self.rng.random() < 0.5:
                    swap |= dict(zip(ids, self.rng.sample(ids, len(ids)), strict=True))
                continue
            used = list(dict.fromkeys(i for i in prompt + answer if self.group_of.get(i) == name))
            swap |= dict(zip(used, self.rng.sample(ids, len(used)), strict=True))
        return [swap.get(i, i) for i in prompt], [swap.get(i, i) for i in answer]


def train(
    model: PreTrainedModel, samples: list[Sample], entities: dict[str, list[int]], config: SFTConfig,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> list[tuple[int, float]]:
    """Train in place; returns (step, smoothed loss) every 25 steps. `progress` hears (step, steps, smoothed loss)."""
    rng = random.Random(config.seed)
    shuffle = NameShuffler(entities, rng)
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.lr, betas=(0.9, 0.98), weight_decay=0.0)
    total, done, smooth, curve, deck = config.gold_steps + config.mixed_steps, 0, None, [], []
    model.train()
    for steps, flawed in ((config.gold_steps, 0.0), (config.mixed_steps, config.flawed)):
        for step in range(steps):
            if len(deck) < config.batch:
                deck = rng.sample(range(len(samples)), len(samples))
            shuffled = config.shuffled if flawed else config.shuffled * min(1.0, 1.6 * step / steps)
            batch = []
            for sample in (samples[deck.pop()] for _ in range(config.batch)):
                answer = rng.choice(sample.flawed) if sample.flawed and rng.random() < flawed else sample.gold
                batch.append(shuffle(sample.prompt, answer) if rng.random() < shuffled else (sample.prompt, answer))
            for group in optimiser.param_groups:
                group["lr"] = config.lr * min(1.0, (step + 1) / 50) * max(0.05, min(1.0, 2 * (1 - step / steps)))
            loss = response_loss(model, batch)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            done += 1
            smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
            if done % 25 == 0 or done == total:
                curve.append((done, smooth))
                progress(done, total, smooth)
    return curve


def response_loss(model: PreTrainedModel, batch: list[tuple[list[int], list[int]]]) -> torch.Tensor:
    """Mean cross entropy of the response tokens. Right padding under causal attention needs no mask."""
    width = max(len(p) + len(a) for p, a in batch)
    ids, wanted = torch.zeros(len(batch), width, dtype=torch.long), torch.zeros(len(batch), width, dtype=torch.bool)
    for row, (prompt, answer) in enumerate(batch):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        wanted[row, len(prompt) - 1 : end - 1] = True
    hidden = model.model(input_ids=ids).last_hidden_state
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[wanted]), ids[:, 1:][wanted[:, :-1]])
