"""One SFT run of a chat model."""

from pydantic import Field

from data_engine.runtime.config import Config


class ChatSFTConfig(Config):
    """What decides a run.

    model: a folder, or a name of the hub. steps, batch, learning_rate: None is the default for the
    model and the machine (`train.sft.chat_model.compose.filled_in`). lora_rank: 0 trains all
    weights. save_every: steps between checkpoints, each with the held-out loss and NDCG.
    eval_queries: held-out queries that are asked for the NDCG; 0 asks none.
    """

    model: str
    style: str = "chat"
    steps: int | None = Field(None, ge=1)
    batch: int | None = Field(None, ge=1)
    lora_rank: int = Field(0, ge=0)
    learning_rate: float | None = Field(None, gt=0)
    save_every: int = Field(25, ge=1)
    eval_queries: int = Field(32, ge=0)
    seed: int = 0
