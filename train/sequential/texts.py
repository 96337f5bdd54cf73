"""The sentence vectors of a comparison: of items, and of what was thought before each moment."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from data_engine.datasets.sampling import evenly
from data_engine.datasets.sequences import TEST, TRAIN, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.graphs.item_texts import item_texts
from data_engine.names.sentences import Encode, kept_vectors, sentence_encoder
from train.sequential.config import TextConfig, TrainingConfig
from train.sequential.queries import question
from train.sequential.template import template
from train.sequential.thought_vectors import ThoughtVectors, encode_thoughts
from train.sequential.thoughts import Thinker, endpoint_thinker, policy_thinker
from train.sequential.training import validation_queries

Progress = Callable[[str, int, int], None]  # called with what is done, how many, of how many


class TextVectors:
    """Nothing is encoded or asked for before a method needs it; what was is kept in `folder`."""

    def __init__(
        self,
        folder: Path,
        evidence: Evidence,
        sequences: Sequences,
        config: TextConfig,
        training: TrainingConfig,
        progress: Progress,
    ) -> None:
        self.folder, self.evidence, self.sequences = folder, evidence, sequences
        self.config, self.training, self.progress = config, training, progress

    @cached_property
    def items(self) -> torch.Tensor:
        """(items, width) of the catalogue. Raises DataError when the encoder is missing."""
        texts = item_texts(self.evidence.attributes, self.sequences.items)
        return torch.from_numpy(self._vectors(texts))

    @cached_property
    def thoughts(self) -> ThoughtVectors:
        """What was thought before lessons, validation and test queries."""
        lessons = evenly(list(self.sequences.nexts(TRAIN)), self.config.lessons)
        moments = [*lessons, *validation_queries(self.sequences, self.training)]
        moments += self.sequences.nexts(TEST)
        return encode_thoughts(moments, lessons, self._thinker(), self._vectors)

    def _thinker(self) -> Thinker:
        config, sequences, evidence = self.config, self.sequences, self.evidence
        if config.endpoint:
            progress = partial(self.progress, "asked")
            cache = self.folder / "answers.sqlite"
            return endpoint_thinker(config.endpoint, sequences, evidence, cache, progress)
        if config.policy:
            ask = partial(question, sequences=sequences, evidence=evidence)
            cache = self.folder / "thoughts.jsonl"
            return policy_thinker(config.policy, ask, cache, partial(self.progress, "thought"))
        return template(sequences, evidence)

    @cached_property
    def _encoder(self) -> Encode:
        return sentence_encoder(self.config.encoder)

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        """Loads the encoder when the first text is not kept yet."""
        return self._encoder(texts)

    def _vectors(self, texts: list[str]) -> np.ndarray:
        progress = partial(self.progress, "encoded")
        return kept_vectors(self._encode, self.config.encoder, texts, self.folder, progress)
