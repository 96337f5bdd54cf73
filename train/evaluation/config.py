"""The configuration of an evaluation."""

from pathlib import Path

from pydantic import Field

from data_engine.runtime.config import Config
from train.evaluation.decoding import Decoding, Device, Engine, Precision
from train.evaluation.endpoint import EndpointConfig


class EvalConfig(Config):
    """The policy to evaluate, and how.

    One of a `model` folder, a model behind an `endpoint`, and a `baseline` (see
    `train.evaluation.baselines`). style: one of `train.tasks.TASKS`. engine: what computes a
    folder's responses. device, precision: of a folder; "auto" is a GPU in bf16 where there is one,
    else the CPU in fp32. temperature: 0 is greedy. top_p: see `Decoding`. samples: responses per
    query, each by a seed of its own. most_tokens: a folder's response (or message of a dialogue) is
    cut after so many.
    """

    model: Path | None = None
    baseline: str | None = None
    endpoint: EndpointConfig | None = None
    style: str = "open-book"
    engine: Engine = "hf"
    device: Device = "auto"
    precision: Precision = "auto"
    temperature: float = Field(0.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    samples: int = Field(1, ge=1, le=1000)
    most_tokens: int = Field(1024, ge=16)
    seed: int = 0

    @property
    def decoding(self) -> Decoding:
        """How responses are drawn."""
        return Decoding(self.temperature, self.top_p, self.most_tokens, self.seed)
