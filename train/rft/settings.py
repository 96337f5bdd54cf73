"""Our section of a recipe (`rerec:` beside verl's own), typed: what is asked, what scores it, in which order."""

from typing import Annotated, Literal

import msgspec
from omegaconf import DictConfig
from pydantic import AfterValidator, Field, ValidationError, model_validator

from data_engine.datasets.sequences import Cut
from data_engine.runtime.config import Config
from reward_server.wire import Weights
from train.algorithms import ALGORITHMS
from train.errors import BadRecipe
from train.rft.curriculum import CurriculumConfig
from train.tasks.dialogues import DIALOGUES
from train.tasks.prompts import OPEN, STYLES


def _known_style(style: str) -> str:
    if style not in STYLES | DIALOGUES:
        raise ValueError(f"no style {style!r}: choose from {', '.join(STYLES | DIALOGUES)}")
    return style


def _known_algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise ValueError(f"no algorithm {name!r}: choose from {', '.join(ALGORITHMS)}")
    return name


def _known_weights(weights: dict) -> dict:
    msgspec.convert(weights, Weights)
    return weights


class HeadWeights(Config):
    """How RPORec's parts make a reward (`train.verl_plugin.reward.next_item_reward`); K of its NDCG."""

    k: int = Field(ge=1, le=1_000_000)
    accuracy: float = Field(ge=0)
    format: float = Field(ge=0)
    consistency: float = Field(ge=0)
    compression: float = Field(ge=0)
    entropy_gap: float = Field(ge=0)


NEXT_ITEM = {"head", "cut", "queries"}  # what only a recipe about what comes next has


class Settings(Config):
    """The whole of it. `cut` and `queries` are next_item's."""

    server: str
    graph_digest: str
    task: Literal["examples", "next_item"]
    weights: Annotated[dict, AfterValidator(_known_weights)]
    style: Annotated[str, AfterValidator(_known_style)]
    retries: int = Field(ge=0)
    most_unscored: float = Field(ge=0, lt=1)
    poll_seconds: float = Field(gt=0)
    algorithm: Annotated[str, AfterValidator(_known_algorithm)]
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
            raise ValueError(
                "a next_item recipe needs rerec.head: K and the weights of the reward's parts"
            )
        if self.task == "next_item" and (self.curriculum or self.judged):
            raise ValueError(
                "rerec.curriculum and rerec.judged are for Examples, not for next_item"
            )
        if self.task == "examples" and (
            mine := sorted(
                NEXT_ITEM & {key for key in self.model_fields_set if getattr(self, key) is not None}
            )
        ):
            raise ValueError(f"rerec.{mine[0]} is for next_item, not for Examples: leave it out")
        if self.style == OPEN and self.weights.get("right") != "conditions":
            raise ValueError(
                f"in the style {OPEN} whatever meets the conditions is right: set rerec.weights.right=conditions"
            )
        if self.style in DIALOGUES and self.judged:
            raise ValueError(f"rerec.judged is for single turns, not for {self.style}: set it to 0")
        return self


def checked(section: dict) -> Settings:
    """Raises BadRecipe, naming the key and what is wrong with it."""
    try:
        return Settings(**section)
    except (ValidationError, msgspec.ValidationError) as error:
        first = (
            error.errors()[0]
            if isinstance(error, ValidationError)
            else {"loc": ("weights",), "msg": str(error)}
        )
        where = ".".join(["rerec", *map(str, first["loc"])])
        raise BadRecipe(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error


def agreed(composed: DictConfig) -> None:
    """Whether our section of a recipe and verl's say the same. Raises BadRecipe for settings that
    would be ignored, or mean something else, beside each other."""
    ours = composed.rerec
    ALGORITHMS[ours.algorithm].check(composed)
    if ours.best_by and composed.trainer.test_freq < 1:
        raise BadRecipe(
            "rerec.best_by chooses by validation: set trainer.test_freq and trainer.val_before_train"
        )
    loop = composed.actor_rollout_ref.rollout.agent.default_agent_loop
    if (ours.style in DIALOGUES) != (loop == "dialogue"):
        raise BadRecipe(
            f"rerec.style={ours.style} and the agent loop do not fit: conversation and tools go with default_agent_loop=dialogue"
        )
    if (ours.task == "next_item") != (loop == "rporec"):
        raise BadRecipe(
            f"rerec.task={ours.task} and the agent loop do not fit: next_item goes with default_agent_loop=rporec"
        )
