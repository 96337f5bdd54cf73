"""One SFT run of a chat model."""

from typing import Literal

from pydantic import Field, model_validator

from data_engine.runtime.config import Config
from train.errors import TrainError


class ChatSFTConfig(Config):
    """What decides a run.

    model: a folder, or a name of the hub. steps, batch, learning_rate, precision: None is the
    default for the model and the machine (`train.sft.chat_model.compose.filled_in`). precision: of
    the arithmetic; weights, gradients and moments are fp32. lora_rank: 0 trains all weights.
    save_every: steps between checkpoints, each with the held-out loss. eval_queries: held-out
    queries that are asked for the NDCG at the end, and every eval_every steps where that is not
    None; 0 asks none.
    """

    model: str
    style: str = "chat"
    steps: int | None = Field(None, ge=1)
    batch: int | None = Field(None, ge=1)
    lora_rank: int = Field(0, ge=0)
    learning_rate: float | None = Field(None, gt=0)
    save_every: int = Field(25, ge=1)
    eval_queries: int = Field(32, ge=0)
    eval_every: int | None = Field(None, ge=1)
    precision: Literal["bf16", "fp32"] | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _evaluates_checkpoints(self) -> "ChatSFTConfig":
        if self.eval_every and self.eval_every % self.save_every:
            raise TrainError(
                f"only checkpoints are evaluated: make --eval-every {self.eval_every} a multiple "
                f"of --save-every {self.save_every}"
            )
        return self
