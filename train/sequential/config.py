"""Settings of next-item recommendation. Their field names are kept in run directories."""

from pathlib import Path

from pydantic import Field

from data_engine.datasets.sequences import Cut
from data_engine.names.sentences import DEFAULT
from data_engine.runtime.config import Config
from reward_server.rechead.model import HeadConfig
from train.evaluation.endpoint import EndpointConfig
from train.sequential.encoders import ENCODERS

# RecHead with the texts of items alone; with answers; with answers and chains of thought
HEADS = ("rechead", "rechead-answer", "rechead-cot")
METHODS = ("popularity", "lightgcn-mean", *ENCODERS, *HEADS)


class TrainingConfig(Config):
    """How an encoder is trained.

    epochs: at most; patience: epochs without a better validation NDCG@10 before training stops.
    negatives: items drawn per step.
    watched: validation queries that are ranked after each epoch.
    doubt: share of the lessons with the text of another user, so that the gates learn to shut.
    """

    encoder: HeadConfig = HeadConfig()
    epochs: int = Field(200, ge=1)
    patience: int = Field(10, ge=1)
    batch: int = Field(32, ge=1)
    lr: float = Field(1e-3, gt=0)
    negatives: int = Field(512, ge=1)
    watched: int = Field(2000, ge=1)
    doubt: float = Field(0.3, ge=0, le=1)
    seed: int = 0


class TextConfig(Config):
    """Where thoughts come from, and the sentence encoder that reads them.

    endpoint, policy: a model behind an endpoint, or the folder of a policy; neither: the template.
    lessons: training moments with a thought, at most, evenly over all.
    """

    endpoint: EndpointConfig | None = None
    policy: Path | None = None
    encoder: str = DEFAULT
    lessons: int = Field(8000, ge=1)


class SequentialConfig(Config):
    """A comparison; the seed of `training` is each of `seeds` in turn, k that of H@K and NDCG@K."""

    methods: tuple[str, ...] = METHODS
    seeds: tuple[int, ...] = (0, 1, 2)
    cut: Cut = "time"
    k: int = Field(10, ge=1)
    training: TrainingConfig = TrainingConfig()
    words: TextConfig = TextConfig()
