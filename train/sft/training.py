"""Supervised fine-tuning of the tiny policy, as measured to work (TINY.md): gold chains under name shuffling, then an imperfect teacher.

Phase A shows gold chains; in most samples names are consistently swapped for others of their group, so that the policy learns
to read the facts it is given, not to remember who goes with what. Phase B lets a share of the samples follow the Examples'
flawed chains: the reinforcement start is a policy that knows both careful reasoning and shortcuts, and the lift of RFT is
measured from there.

The matrices between the embeddings are trained by Muon (Jordan et al. 2024), which finds the circuits of reading, copying a
value from the right row and comparing it, in a third of the steps that AdamW takes; the rest by AdamW. What a response decides,
its yes and no, weighs more than the words around it, most of which are copied: else comparing is learned last, or not at all.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from pydantic import Field
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.config import Config
from data_engine.schema import Example
from train.errors import TrainError
from train.sft.muon import Muon
from train.tasks.dialogues import DIALOGUES, Message, fits
from train.tasks.prompts import open_book, response, shortcuts


class SFTConfig(Config):
    """Steps of each phase and the optimisers: `lr` is AdamW's, `matrix_lr` Muon's. `flawed` is the share of phase-B samples that follow a
    flawed chain, `shuffled` the share of all samples whose names are swapped, `decisive` the weight of a yes or no in the loss."""

    gold_steps: int = Field(800, ge=1)
    mixed_steps: int = Field(350, ge=0)
    batch: int = Field(32, ge=1)
    lr: float = Field(3e-3, gt=0)
    matrix_lr: float = Field(1e-2, gt=0)
    flawed: float = Field(0.5, ge=0, le=1)
    shuffled: float = Field(0.9, ge=0, le=1)
    decisive: float = Field(5.0, ge=1)
    seed: int = 0


class Lesson(NamedTuple):
    """A prompt, the response that is right, and those of an imperfect teacher; `since` are the turns between prompt and response. Those of them that
    are the policy's and could not go astray have no lesson of their own: they are learned with this one."""

    prompt: str
    gold: str
    flawed: tuple[str, ...]
    since: tuple[Message, ...] = ()

    @property
    def chat(self) -> list[dict[str, str]]:
        """What is there before the response."""
        return [
            {"role": "user", "content": self.prompt},
            *({"role": m.role, "content": m.content} for m in self.since),
        ]


@dataclass(frozen=True)
class Sample:
    """A Lesson as token ids; `own` are the places in the prompt of what is learned with it."""

    prompt: list[int]
    gold: list[int]
    flawed: list[list[int]]
    own: list[int]


def lessons(examples: list[Example], evidence: Evidence, style: str = "open-book") -> list[Lesson]:
    """Each Example's question with its gold chain, and its shortcuts; of a dialogue a lesson for its last turn and for each that may go astray.
    Raises TrainError when no Example can be asked in that style."""
    if style in DIALOGUES:
        found = [
            lesson for e in examples if fits(style, e) for lesson in _turns(e, evidence, style)
        ]
        if not found:
            raise TrainError(
                f"no Example can be asked in the style {style}: synthesise some (`rerec synth --kinds {style}`)"
            )
        return found
    if style != "open-book":
        raise TrainError(
            f"no style {style!r} to teach: choose from open-book, {', '.join(DIALOGUES)}"
        )
    return [
        Lesson(
            open_book(e, evidence),
            response(e.chains[0], evidence),
            tuple(response(c, evidence) for c in shortcuts(e)),
        )
        for e in examples
    ]


def _turns(example: Example, evidence: Evidence, style: str) -> Iterator[Lesson]:
    first, *rest = DIALOGUES[style](example, evidence)
    for k, message in enumerate(rest):
        if message.astray or message is rest[-1]:
            yield Lesson(first.content, message.content, message.astray, tuple(rest[:k]))


def encode(taught: Sequence[Lesson], tokenizer: PreTrainedTokenizerBase) -> list[Sample]:
    """Tokenise prompts (through the chat template) and responses (closed by the end token)."""
    chats = tokenizer.apply_chat_template(
        [t.chat for t in taught], add_generation_prompt=True, tokenize=False
    )
    answers = [[text + tokenizer.eos_token for text in (t.gold, *t.flawed)] for t in taught]
    pieces = [_pieces(t, chat, tokenizer.eos_token) for t, chat in zip(taught, chats, strict=True)]
    texts = [
        text for before, after in zip(pieces, answers, strict=True) for text in (*before, *after)
    ]
    flat = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
    found = []
    for before, after in zip(pieces, answers, strict=True):
        prompt, own = [], []
        for k in range(len(before)):
            prompt += (ids := next(flat))
            own += range(len(prompt) - len(ids), len(prompt)) if k % 2 else ()
        found.append(Sample(prompt, next(flat), [next(flat) for _ in after[1:]], own))
    return found


def _pieces(lesson: Lesson, chat: str, end: str) -> list[str]:
    """The chat before a response, cut up: every second piece is a turn that is learned with it."""
    pieces = [""]
    for said, learned in (
        (lesson.prompt, False),
        *((m.content, m.role == "assistant" and not m.astray) for m in lesson.since),
    ):
        header, turn, chat = chat.partition(said + end)
        pieces[-1] += header if learned else header + turn
        pieces += [turn, ""] if learned else []
    return [*pieces[:-1], pieces[-1] + chat]


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


class Trainer:
    """One SFT run, a step at a time, so that it can be watched, saved and resumed exactly. Trains `model` in place."""

    def __init__(
        self,
        model: PreTrainedModel,
        samples: list[Sample],
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
        matrices = [
            p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name
        ]
        others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
        self.optimisers = (
            Muon(matrices, lr=config.matrix_lr),
            torch.optim.AdamW(others, lr=config.lr, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self.total, self.done = config.gold_steps + config.mixed_steps, 0
        self.deck: list[int] = []
        self.smooth: float | None = None
        self.curve: list[tuple[int, float]] = []
        model.train()

    @property
    def finished(self) -> bool:
        """All steps are done."""
        return self.done >= self.total

    def step(self) -> float:
        """One optimiser step; returns the smoothed loss."""
        c = self.config
        mixed = self.done >= c.gold_steps
        schedule = min(1.0, (self.done + 1) / 50) * max(
            0.05, min(1.0, 2 * (1 - self.done / self.total))
        )
        loss = response_loss(
            self.model,
            [self._draw(c.flawed if mixed else 0.0) for _ in range(c.batch)],
            self.weights,
        )
        self.model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser, rate in zip(self.optimisers, (c.matrix_lr, c.lr), strict=True):
            optimiser.param_groups[0]["lr"] = rate * schedule
            optimiser.step()
        self.done += 1
        self.smooth = (
            loss.item() if self.smooth is None else 0.95 * self.smooth + 0.05 * loss.item()
        )
        if self.done % 25 == 0 or self.finished:
            self.curve.append((self.done, self.smooth))
        return self.smooth

    def _draw(self, flawed: float) -> tuple[list[int], list[int], list[int]]:
        """The next sample of the deck as (prompt, answer, own), flawed with the given chance, renamed with the configured one."""
        if not self.deck:
            self.deck = self.rng.sample(range(len(self.samples)), len(self.samples))
        sample = self.samples[self.deck.pop()]
        answer = (
            self.rng.choice(sample.flawed)
            if sample.flawed and self.rng.random() < flawed
            else sample.gold
        )
        said = (
            self.shuffle(sample.prompt, answer)
            if self.rng.random() < self.config.shuffled
            else (sample.prompt, answer)
        )
        return *said, sample.own

    def state(self) -> dict[str, object]:
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

    def restore(self, state: dict[str, object]) -> None:
        """Continue exactly where `state` was taken."""
        self.model.load_state_dict(state["model"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.done, self.deck, self.smooth = state["done"], list(state["deck"]), state["smooth"]
        self.curve = [tuple(point) for point in state["curve"]]
        version, internal, gauss = state["rng"]
        self.rng.setstate((version, tuple(internal), gauss))


def response_loss(
    model: PreTrainedModel,
    batch: Sequence[tuple[list[int], list[int], list[int]]],
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean cross entropy of the tokens of each (prompt, response, own) that are the response's or stand at places `own` of the prompt, each weighed
    by `weights`, (vocabulary,). Right padding under causal attention needs no mask."""
    width = max(len(p) + len(a) for p, a, _ in batch)
    ids, wanted = (
        torch.zeros(len(batch), width, dtype=torch.long),
        torch.zeros(len(batch), width, dtype=torch.bool),
    )
    for row, (prompt, answer, own) in enumerate(batch):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        wanted[row, len(prompt) - 1 : end - 1] = True
        wanted[row, [place - 1 for place in own]] = True
    hidden = model.model(input_ids=ids).last_hidden_state
    return torch.nn.functional.cross_entropy(
        model.lm_head(hidden[wanted]), ids[:, 1:][wanted[:, :-1]], weight=weights
    )
