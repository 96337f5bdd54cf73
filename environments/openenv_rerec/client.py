"""The client of the environment."""

from typing import Any

from openenv.core import EnvClient
from openenv.core.client_types import StepResult
from openenv.core.env_server.types import State

from .models import RerecAction, RerecObservation


class RerecEnv(EnvClient[RerecAction, RerecObservation, State]):
    """One episode at a time: `reset(episode_id=EXAMPLE_ID)` or `reset(index=N)`, then `step`."""

    def _step_payload(self, action: RerecAction) -> dict[str, Any]:
        return action.model_dump(exclude={"metadata"})

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[RerecObservation]:
        facts = {"done": payload.get("done", False), "reward": payload.get("reward")}
        observation = RerecObservation(**{**payload.get("observation", {}), **facts})
        return StepResult(observation=observation, **facts)

    def _parse_state(self, payload: dict[str, Any]) -> State:
        return State(**payload)
