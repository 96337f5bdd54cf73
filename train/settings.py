"""Our section of a recipe (`rerec:` beside verl's own), typed: what is asked, what scores it, in which order."""

from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from data_engine.sequences import Cut
from reward_server.wire import Weights
from train.curriculum import CurriculumConfig
from train.dialogues import DIALOGUES
from train.errors import BadRecipe
from train.prompts import OPEN, STYLES


def _known_style(style: str) -> str:
    if style not in STYLES | DIALOGUES:
        raise ValueError(f"no style {style!r}: choose from {', '.join(STYLES | DIALOGUES)}")
    return style


def _known_weights(weights: dict) -> dict:
    msgspec.convert(weights, Weights)
    return weights


class HeadWeights(BaseModel):
    """How RPORec's parts make a reward (`train.verl_plugin.reward.next_item_reward`); K of its NDCG."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    k: int = Field(ge=1, le=1_000_000)
    accuracy: float = Field(ge=0)
    format: float = Field(ge=0)
    consistency: float = Field(ge=0)
    compression: float = Field(ge=0)
    entropy_gap: float = Field(ge=0)


class Settings(BaseModel):
    """The whole of it. `cut` and `queries` are next_item's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    server: str
    graph_digest: str
    task: Literal["examples", "next_item"]
    weights: Annotated[dict, AfterValidator(_known_weights)]
    style: Annotated[str, AfterValidator(_known_style)]
    retries: int = Field(ge=0)
    most_unscored: float = Field(ge=0, lt=1)
    poll_seconds: float = Field(gt=0)
    judged: float = Field(ge=0)
    curriculum: CurriculumConfig | None
    best_by: Literal["score", "ndcg"] | None
    head: HeadWeights | None
    head_digest: str | None
    cut: Cut = "time"
    queries: int = Field(1024, ge=1)

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.task == "next_item" and self.head is None:
            raise ValueError("a next_item recipe needs rerec.head: K and the weights of the reward's parts")
        if self.task == "next_item" and (self.curriculum or self.judged):
            raise ValueError("rerec.curriculum and rerec.judged are for Examples, not for next_item")
        if self.style == OPEN and self.weights.get("right") != "conditions":
            raise ValueError(f"in the style {OPEN} whatever meets the conditions is right: set rerec.weights.right=conditions")
        if self.style in DIALOGUES and self.judged:
            raise ValueError(f"rerec.judged is for single turns, not for {self.style}: set it to 0")
        return self


def checked(section: dict) -> Settings:
    """Raises BadRecipe, naming the key and what is wrong with it."""
    try:
        return Settings(**section)
    except (ValidationError, msgspec.ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": ("weights",), "msg": str(error)}
        where = ".".join(["rerec", *map(str, first["loc"])])
        raise BadRecipe(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
