"""NeMo-Gym: what its agents send to a resources server and expect from it.

A row of the data set goes to /seed_session before a rollout and, with the response, to /verify
after it; what /verify answers goes to /aggregate_metrics at the end.
"""

from math import isfinite
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from reward_server.wire import Response

TASK, ROLLOUT = "_ng_task_index", "_ng_rollout_index"
Short = Annotated[str, Meta(max_length=64)]


class ContentPart(msgspec.Struct, frozen=True, gc=False):
    """A part of a message; `text` of what is no text is ""."""

    type: str
    text: str = ""


class OutputItem(msgspec.Struct, frozen=True, gc=False):
    """A message, a thought or a call of the Responses API."""

    type: str
    content: list[ContentPart] | None = None


class Incomplete(msgspec.Struct, frozen=True, gc=False):
    """Why a response of the Responses API was not completed."""

    reason: str | None = None


class ModelResponse(msgspec.Struct, frozen=True, gc=False):
    """A model's response in the shape of the Responses API."""

    output: list[OutputItem]
    error: Any = None
    status: str | None = None
    incomplete_details: Incomplete | None = None

    def text(self) -> str:
        """The text of the last message, "" without one."""
        for item in reversed(self.output):
            if item.type == "message":
                return "".join(p.text for p in item.content or () if p.type == "output_text")
        return ""

    @property
    def failed(self) -> bool:
        """Whether the model, or what is in front of it, gave no answer of its own."""
        cut = self.incomplete_details
        filtered = cut is not None and cut.reason == "content_filter"
        return self.error is not None or self.status in ("failed", "cancelled") or filtered


class SeedRequest(msgspec.Struct, frozen=True, gc=False):
    """A row of the data set. Id and graph are checked before a rollout is paid for."""

    example_id: Short
    graph_digest: Short | None = None


class SeedResponse(msgspec.Struct, frozen=True, gc=False):
    """Nothing: a session has no state here."""


class VerifyRequest(SeedRequest, frozen=True, kw_only=True, gc=False):
    """A row with the response to it. profile: the named weights of the score."""

    response: ModelResponse
    profile: Short = "rerec"

    def responses(self) -> list[Response]:
        """The response to score. Raises ValueError where the model failed."""
        if self.response.failed:
            raise ValueError("the response is an error of the model: there is nothing to score")
        return [Response(self.example_id, self.response.text())]


class VerifyResponse(msgspec.Struct, frozen=True, gc=False):
    """The request with its reward, the parts that the graphs give, and what was wrong with it."""

    example_id: str
    reward: float
    answer_status: str
    ndcg: float
    qas: float | msgspec.UnsetType = msgspec.UNSET
    pas: float | msgspec.UnsetType = msgspec.UNSET


class AggregateRequest(msgspec.Struct, frozen=True, gc=False):
    """What /verify answered, of any number of rollouts."""

    verify_responses: list[dict[str, Any]]


class AggregateResponse(msgspec.Struct, frozen=True, gc=False):
    """Figures as "mean/reward": by task, over all, and the means among those again.

    mean, max, min and median; std (of a sample) from two values on.
    """

    group_level_metrics: list[dict[str, float]]
    agent_metrics: dict[str, float]
    key_metrics: dict[str, float]


def aggregate(rollouts: list[dict[str, Any]]) -> AggregateResponse:
    """The figures of some rollouts; one that a rollout has not is left out of the mean, never 0.

    Raises ValueError for a task without a number, OverflowError for figures that are no floats.
    """
    tasks: dict[int, list[dict[str, Any]]] = {}
    for rollout in rollouts:
        task = rollout.get(TASK, 0)
        if not isinstance(task, int | float) or task != int(task):
            raise ValueError(f"{TASK} should be a whole number, not {str(task)[:50]!r}")
        tasks.setdefault(int(task), []).append(rollout)
    groups = [{TASK: task, **_figures(tasks[task])} for task in sorted(tasks)]
    overall = _figures(rollouts)
    means = {name: value for name, value in overall.items() if name.startswith("mean/")}
    return AggregateResponse(groups, overall, means)


def _figures(rollouts: list[dict[str, Any]]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for rollout in rollouts:
        response = rollout.get("response")
        usage = response.get("usage") if isinstance(response, dict) else None
        for name, value in (*_numbers(rollout), *_numbers(usage)):
            values.setdefault(name, []).append(value)
    found: dict[str, float] = {}
    for name, some in values.items():
        if not isfinite(sum(some)):
            raise OverflowError(f"{name}: the sum of its values is too large")
        found |= {f"mean/{name}": float(np.mean(some)), f"max/{name}": max(some)}
        found |= {f"min/{name}": min(some), f"median/{name}": float(np.median(some))}
        if len(some) > 1:
            found[f"std/{name}"] = float(np.std(some, ddof=1))
    return found


def _numbers(record: Any) -> list[tuple[str, float]]:
    """The figures of a record; yes is 1 and no is 0."""
    if not isinstance(record, dict):
        return []
    numbers = [(name, value) for name, value in record.items() if name not in (TASK, ROLLOUT)]
    return [(name, float(value)) for name, value in numbers if isinstance(value, int | float)]
