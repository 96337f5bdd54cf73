"""Supervised fine-tuning of the tiny policy: gold chains under name shuffling, then flawed ones.

Phase A shows gold chains; in most samples names are consistently swapped for others of their
group, so that the policy learns to read the facts it is given, not to remember who goes with what.
Phase B lets a share of the samples follow the flawed chains of the Examples: reinforcement starts
from a policy that knows both careful reasoning and shortcuts, and its lift is measured from there.

The matrices between the embeddings are trained by Muon (Jordan et al. 2024), which finds the
circuits of reading, copying a value from the right row and comparing it, in a third of the steps
that AdamW takes; the rest by AdamW. The tokens that decide, yes and no, weigh more than the words
around them, most of which are copied: else comparing is learned last, or not at all.
"""

import random
from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel

from train.sft.config import SFTConfig
from train.sft.encoding import EncodedLesson
from train.sft.loss import Sample, response_loss
from train.sft.muon import Muon
from train.sft.names import NameShuffler

WARM_UP, LEAST_RATE = 50, 0.05  # steps; share of the learning rate at the end
CURVE_EVERY = 25  # steps
OLD, NEW = 0.95, 0.05  # shares of the smoothed loss before and of this step


class Trainer:
    """One SFT run, a step at a time, so that it can be watched, saved and resumed exactly.

    Trains `model` in place.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        samples: list[EncodedLesson],
        entities: dict[str, list[int]],
        config: SFTConfig,
        decisions: Sequence[int] = (),
    ) -> None:
        """`decisions` are the token ids of yes and no."""
        self.weights = torch.ones(model.config.vocab_size)
        self.weights[list(decisions)] = config.decisive
        self.model, self.samples, self.config = model, samples, config
        self.rng = random.Random(config.seed)
        self.shuffle = NameShuffler(entities, self.rng)
        self.optimisers = _optimisers(model, config)
        self.total, self.done = config.gold_steps + config.mixed_steps, 0
        self.deck: list[int] = []  # numbers of the samples still to be drawn in this epoch
        self.smooth: float | None = None
        self.curve: list[tuple[int, float]] = []
        model.train()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done >= self.total

    def step(self) -> float:
        """Take one optimiser step; returns the smoothed loss."""
        c = self.config
        flawed = c.flawed if self.done >= c.gold_steps else 0.0
        rate_share = self._rate_share()
        batch = [self._draw(flawed) for _ in range(c.batch)]
        loss = response_loss(self.model, batch, self.weights)
        self.model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser, rate in zip(self.optimisers, (c.matrix_lr, c.lr), strict=True):
            optimiser.param_groups[0]["lr"] = rate * rate_share
            optimiser.step()
        self.done += 1
        value = loss.item()
        smooth = value if self.smooth is None else OLD * self.smooth + NEW * value
        self.smooth = smooth
        if self.done % CURVE_EVERY == 0 or self.finished:
            self.curve.append((self.done, smooth))
        return smooth

    def _rate_share(self) -> float:
        """The share of the learning rates in this step: warm-up, then half way a linear decay."""
        decay = 2 * (1 - self.done / self.total)
        return min(1.0, (self.done + 1) / WARM_UP) * max(LEAST_RATE, min(1.0, decay))

    def _draw(self, flawed: float) -> Sample:
        """The next sample of the deck.

        Its answer is flawed with the given probability, its names are swapped with that of the
        configuration.
        """
        if not self.deck:
            self.deck = self.rng.sample(range(len(self.samples)), len(self.samples))
        lesson = self.samples[self.deck.pop()]
        astray = bool(lesson.flawed) and self.rng.random() < flawed
        prompt, answer = lesson.prompt, self.rng.choice(lesson.flawed) if astray else lesson.gold
        if self.rng.random() < self.config.shuffled:
            prompt, answer = self.shuffle(prompt, answer)
        return Sample(prompt, answer, lesson.own)

    def state(self) -> dict[str, Any]:
        """All that a resume needs; loads with torch's weights_only."""
        version, internal, gauss = self.rng.getstate()
        return {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "done": self.done,
            "deck": self.deck,
            "smooth": self.smooth,
            "curve": self.curve,
            "rng": [version, list(internal), gauss],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue exactly where `state` was taken."""
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.done, self.deck, self.smooth = state["done"], list(state["deck"]), state["smooth"]
        self.curve = [(step, loss) for step, loss in state["curve"]]
        version, internal, gauss = state["rng"]
        self.rng.setstate((version, tuple(internal), gauss))


def _optimisers(model: PreTrainedModel, config: SFTConfig) -> tuple[Muon, torch.optim.AdamW]:
    """Muon for the matrices between the embeddings, AdamW for all else."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.ndim == 2 and "embed" not in name
        (matrices if is_matrix else others).append(parameter)
    return (
        Muon(matrices, lr=config.matrix_lr),
        torch.optim.AdamW(others, lr=config.lr, betas=(0.9, 0.98), weight_decay=0.0),
    )
