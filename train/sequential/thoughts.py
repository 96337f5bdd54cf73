"""What was thought and answered before a moment, as text and as vectors: RPORec's stage 1.

Three sources of the same shape: a template over the history's facts (offline), any OpenAI-compatible endpoint, a policy's folder.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from data_engine.datasets.sequences import Next, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.responses.reading import split_answer
from data_engine.schema import content_hash
from train.evaluation.endpoint import EndpointConfig, ask
from train.evaluation.response_log import ResponseLog

READ = 12  # of the last items of a history, in words
FADES = 0.93  # what an item counts for against the one after it
TRAITS = 4
MOST_TOKENS = 64  # of a policy's response
AT_ONCE = 1000  # of them between two writes
PROMPT = """Someone watched, oldest first:
{history}

What will they want next? Think in a few short lines about what their last choices share, then describe the next item in one short sentence
between <answer> and </answer>."""


class Thought(NamedTuple):
    """A chain of thought and the short answer it ends in; either may be empty."""

    thought: str
    answer: str


@dataclass(frozen=True)
class Said:
    """`vectors` (moments, 2, width) are the sentence vectors of answer and thought before each moment, zero for an empty text; `at` finds a
    moment by user and length of history. `lessons` are those moments that may be learned from."""

    at: dict[tuple[int, int], int]
    vectors: torch.Tensor
    lessons: list[Next]

    def before(self, nexts: Sequence[Next]) -> torch.Tensor:
        """(nexts, 2, width), zero where nothing was said."""
        places = [self.at.get((n.user, len(n.history)), -1) for n in nexts]
        return torch.cat([self.vectors, torch.zeros(1, *self.vectors.shape[1:])])[places]

    def only_answers(self) -> "Said":
        """The same without the thoughts."""
        return Said(self.at, self.vectors * torch.tensor([1.0, 0.0])[:, None], self.lessons)

    def shuffled(self, seed: int) -> "Said":
        """Everybody with the words of somebody else: what a head must not fall for."""
        users = np.array([user for user, _ in self.at])
        names, group = np.unique(users, return_inverse=True)
        order = np.argsort(
            np.random.default_rng(seed).permutation(len(names))[group], kind="stable"
        )  # users in random order, each in one piece
        given = torch.empty_like(self.vectors)
        given[order] = self.vectors[
            np.roll(order, np.bincount(group).max())
        ]  # further on than the longest piece
        return Said(self.at, given, self.lessons)


def collect(
    moments: Sequence[Next],
    lessons: list[Next],
    think: Callable[[Sequence[Next]], list[Thought]],
    vectors: Callable[[Sequence[str]], np.ndarray],
) -> Said:
    """Think before every moment, and encode what was said."""
    thoughts = think(moments)
    texts = [text for one in thoughts for text in (one.answer, one.thought)]
    found = torch.from_numpy(vectors(texts)).view(len(thoughts), 2, -1).clone()
    found[torch.tensor([not text.strip() for text in texts]).view(-1, 2)] = 0
    return Said({(n.user, len(n.history)): k for k, n in enumerate(moments)}, found, lessons)


def template(sequences: Sequences, evidence: Evidence) -> Callable[[Sequence[Next]], list[Thought]]:
    """The offline writer: names the last items, what they share beyond chance of what cards show, and answers with those traits. It adds no
    knowledge but the attribute graph's."""
    return _writer(
        sequences, evidence, lambda one, times: [edge for edge in times if times[edge] > 1]
    )


def hindsight(
    sequences: Sequences, evidence: Evidence
) -> Callable[[Sequence[Next]], list[Thought]]:
    """The same for teaching a policy: of the traits of the last items it names those that the next one turned out to have, and where there are
    none, what the template would. To be asked about training moments only."""
    edges, items = evidence.attributes.edge_sets, sequences.items

    def kept(one: Next, times: Counter) -> list[tuple[str, str]]:
        met = [edge for edge in times if edge in edges.get(items[one.target], ())]
        return met or [edge for edge in times if times[edge] > 1]

    return _writer(sequences, evidence, kept)


def _writer(
    sequences: Sequences, evidence: Evidence, choose: Callable[[Next, Counter], list]
) -> Callable[[Sequence[Next]], list[Thought]]:
    graph, items = evidence.attributes, sequences.items
    shown = {column.relation for column in evidence.cards.columns}
    rarity = {
        edge: log(len(items) / len(held))
        for edge, held in graph.items_by_edge.items()
        if edge[0] in shown and len(held) > 1
    }

    def think(one: Next) -> Thought:
        weight: Counter = Counter()
        times: Counter = Counter()
        last = [items[k] for k in one.history[-READ:]]
        for age, item in enumerate(reversed(last)):
            for edge in graph.edge_sets.get(item, ()):
                if edge in rarity:
                    weight[edge] += rarity[edge] * FADES**age
                    times[edge] += 1
        traits = sorted(choose(one, times), key=lambda edge: (-weight[edge], edge))[:TRAITS]
        lines = [f"Lately {', '.join(graph.titles[item] for item in last[-3:])}."]
        lines += [
            f"{relation} {graph.names[value]} {times[relation, value]} times."
            for relation, value in traits
        ]
        return Thought(
            "\n".join(lines),
            "Next " + ", ".join(f"{relation} {graph.names[value]}" for relation, value in traits)
            if traits
            else "",
        )

    return lambda moments: [think(one) for one in moments]


def policy(
    folder: Path, questions: Callable[[Next], str], kept: Path, progress: Callable[[int, int], None]
) -> Callable[[Sequence[Next]], list[Thought]]:
    """A policy's own words, greedy, kept as they come. Raises TrainError when there is no model."""
    from train.evaluation.generate import respond

    def think(moments: Sequence[Next]) -> list[Thought]:
        weights = sha256(
            b"".join(path.read_bytes() for path in sorted(folder.glob("*.safetensors")))
        ).hexdigest()
        record, prompts = ResponseLog(kept), [questions(n) for n in moments]
        names = [content_hash([weights, prompt, MOST_TOKENS]) for prompt in prompts]
        missing = list(
            {
                name: prompt
                for name, prompt in zip(names, prompts, strict=True)
                if name not in record.found
            }.items()
        )
        for start in range(0, len(missing), AT_ONCE):
            part = dict(missing[start : start + AT_ONCE])
            told = lambda done, _, start=start: progress(start + done, len(missing))  # noqa: E731
            record.add(
                dict(
                    zip(
                        part,
                        respond(folder, list(part.values()), 0.0, MOST_TOKENS, 0, told),
                        strict=True,
                    )
                )
            )
        return [Thought(*split_answer(record.found[name])[:2]) for name in names]

    return think


def prompt(one: Next, sequences: Sequences, evidence: Evidence) -> str:
    """The question in words, for a model that reads instructions."""
    titles = [evidence.attributes.titles[sequences.items[k]] for k in one.history[-READ:]]
    return PROMPT.format(history="\n".join(f"- {title}" for title in titles))


def endpoint(
    config: EndpointConfig,
    sequences: Sequences,
    evidence: Evidence,
    kept: Path,
    progress: Callable[[int, int], None],
) -> Callable[[Sequence[Next]], list[Thought]]:
    """Ask any OpenAI-compatible model; what it answers is kept, so that a run cut short goes on. Raises what `train.evaluation.endpoint.ask` raises."""
    return lambda moments: [
        Thought(*split_answer(text)[:2])
        for text in ask(
            config, [prompt(n, sequences, evidence) for n in moments], 0.0, 0, kept, progress
        )
    ]
