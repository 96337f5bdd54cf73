"""Our section of a recipe (`rerec:` beside verl's own) as a typed record, and its checks."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from omegaconf import DictConfig
from pydantic import AfterValidator, Field, ValidationError, model_validator

from data_engine.datasets.sequences import Cut
from data_engine.runtime.config import Config, first_problem
from reward_server.wire import Weights
from train.algorithms import ALGORITHMS
from train.errors import BadRecipe
from train.rft.curriculum import CurriculumConfig
from train.tasks import TASKS, DialogueTask, Task, task_of


def _known_style(style: str) -> str:
    if style not in TASKS:
        raise ValueError(f"no style {style!r}: choose from {', '.join(TASKS)}")
    return style


def _known_algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise ValueError(f"no algorithm {name!r}: choose from {', '.join(ALGORITHMS)}")
    return name


def _known_weights(weights: dict[str, Any]) -> dict[str, Any]:
    msgspec.convert(weights, Weights)
    return weights


class HeadWeights(Config):
    """How RPORec's parts make a reward (`train.verl_plugin.reward.next_item_reward`).

    k: cut-off of its NDCG. The rest are the weights of the parts.
    """

    k: int = Field(ge=1, le=1_000_000)
    accuracy: float = Field(ge=0)
    format: float = Field(ge=0)
    consistency: float = Field(ge=0)
    compression: float = Field(ge=0)
    entropy_gap: float = Field(ge=0)


DEFAULT_QUERIES = 1024  # training moments of next_item
NEXT_ITEM_KEYS = {"head", "cut", "queries"}  # of recipes about what comes next alone


class Settings(Config):
    """The whole section. `cut` and `queries` are next_item's."""

    server: str
    graph_digest: str
    task: Literal["examples", "next_item"]
    weights: Annotated[dict[str, Any], AfterValidator(_known_weights)]
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
    queries: int = Field(DEFAULT_QUERIES, ge=1)

    @model_validator(mode="after")
    def _fits_the_task(self) -> "Settings":
        if self.task == "next_item":
            self._check_next_item()
        else:
            self._check_examples()
        self._check_style()
        return self

    def _check_next_item(self) -> None:
        if self.head is None:
            raise ValueError(
                "a next_item recipe needs rerec.head: K and the weights of the reward's parts"
            )
        if self.curriculum or self.judged:
            raise ValueError(
                "rerec.curriculum and rerec.judged are for Examples, not for next_item"
            )

    def _check_examples(self) -> None:
        given = {key for key in self.model_fields_set if getattr(self, key) is not None}
        if foreign := sorted(NEXT_ITEM_KEYS & given):
            raise ValueError(f"rerec.{foreign[0]} is for next_item, not for Examples: leave it out")

    def _check_style(self) -> None:
        task = TASKS[self.style]
        if task.open_catalogue and self.weights.get("right") != "conditions":
            raise ValueError(
                f"in the style {self.style} whatever meets the conditions is right: "
                "set rerec.weights.right=conditions"
            )
        if isinstance(task, DialogueTask) and self.judged:
            raise ValueError(f"rerec.judged is for single turns, not for {self.style}: set it to 0")


def check_section(section: Mapping[str, Any]) -> Settings:
    """The section as a record. Raises BadRecipe with the key and what is wrong with it."""
    try:
        return Settings(**section)
    except ValidationError as error:
        where, why = first_problem(error)
        raise BadRecipe(f"{'.'.join(filter(None, ('rerec', where)))}: {why}") from error
    except msgspec.ValidationError as error:
        raise BadRecipe(f"rerec.weights: {error}") from error


def recipe_task(composed: DictConfig) -> Task:
    """The task that a composed recipe learns from."""
    ours = composed.rerec
    return task_of(ours.task, ours.style, ours.get("cut"), ours.get("queries") or DEFAULT_QUERIES)


def check_agreement(composed: DictConfig) -> None:
    """Raises BadRecipe where the section and verl's settings do not fit each other.

    That is, for settings that would be ignored, or mean something else, beside each other.
    """
    ours = composed.rerec
    ALGORITHMS[ours.algorithm].check(composed)
    if ours.best_by and composed.trainer.test_freq < 1:
        raise BadRecipe(
            "rerec.best_by chooses by validation: "
            "set trainer.test_freq and trainer.val_before_train"
        )
    wanted = recipe_task(composed).agent_loop
    if composed.actor_rollout_ref.rollout.agent.default_agent_loop != wanted:
        key, name = ("task", ours.task) if ours.task == "next_item" else ("style", ours.style)
        raise BadRecipe(
            f"rerec.{key}={name} and the agent loop do not fit: "
            f"{name} goes with default_agent_loop={wanted}"
        )
