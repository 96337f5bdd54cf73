"""The words of a comparison, gathered once: items' texts, and what is thought before every moment that is learned from or asked about."""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from data_engine.datasets.sequences import TEST, TRAIN, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.graphs.item_texts import item_texts
from data_engine.names.sentences import DEFAULT, kept_vectors, sentence_encoder
from data_engine.runtime.config import Config
from train.evaluation.endpoint import EndpointConfig
from train.sequential.queries import evenly, question
from train.sequential.thoughts import Said, collect, endpoint, policy, template
from train.sequential.training import TrainingConfig, watched

Tell = Callable[[str, int, int], None]  # hears (what is done, how many, of how many)


class WordsConfig(Config):
    """Who thinks (an endpoint, a policy's folder, or by default the template), which sentence encoder reads it, and before how many training
    moments, evenly over all."""

    endpoint: EndpointConfig | None = None
    policy: Path | None = None
    encoder: str = DEFAULT
    lessons: int = Field(8000, ge=1)


class Words:
    """Nothing is encoded or asked for before a method wants it; what was is kept in `folder`."""

    def __init__(
        self,
        folder: Path,
        evidence: Evidence,
        sequences: Sequences,
        config: WordsConfig,
        training: TrainingConfig,
        tell: Tell,
    ) -> None:
        self.folder, self.evidence, self.sequences, self.config, self.training, self.tell = (
            folder,
            evidence,
            sequences,
            config,
            training,
            tell,
        )

    @cached_property
    def items(self) -> torch.Tensor:
        """(items, width) sentence vectors of the catalogue. Raises DataError when the encoder is missing."""
        return torch.from_numpy(
            self._vectors(item_texts(self.evidence.attributes, self.sequences.items))
        )

    @cached_property
    def said(self) -> Said:
        """What was said before lessons, watched and test queries."""
        lessons = evenly(list(self.sequences.nexts(TRAIN)), self.config.lessons)
        moments = [*lessons, *watched(self.sequences, self.training), *self.sequences.nexts(TEST)]
        if self.config.endpoint:
            think = endpoint(
                self.config.endpoint,
                self.sequences,
                self.evidence,
                self.folder / "answers.sqlite",
                lambda done, total: self.tell("asked", done, total),
            )
        elif self.config.policy:
            questions = partial(question, sequences=self.sequences, evidence=self.evidence)
            think = policy(
                self.config.policy,
                questions,
                self.folder / "thoughts.jsonl",
                partial(self.tell, "thought"),
            )
        else:
            think = template(self.sequences, self.evidence)
        return collect(moments, lessons, think, self._vectors)

    @cached_property
    def _encode(self) -> object:
        return sentence_encoder(self.config.encoder)

    def _vectors(self, texts: list[str]) -> np.ndarray:
        return kept_vectors(
            lambda missing: self._encode(missing),
            self.config.encoder,
            texts,
            self.folder,
            lambda done, total: self.tell("encoded", done, total),
        )
