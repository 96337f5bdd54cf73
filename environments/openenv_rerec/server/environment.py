"""One query of a JSONL file of `rerec train export` per episode, scored by the reward server."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import State

try:
    from ..models import RerecAction, RerecObservation
except ImportError:  # started in its own folder, as `openenv serve` does
    from models import RerecAction, RerecObservation

SECONDS = 60.0  # for one call of the reward server
PARTS = ("ndcg", "qas", "pas")


@lru_cache
def read_rows(path: str) -> list[dict[str, Any]]:
    """The rows of a JSONL file, in its order."""
    with Path(path).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class RerecEnvironment(Environment[RerecAction, RerecObservation, State]):
    """Environment variables: REREC_DATASET (SPLIT.jsonl), REREC_URL, REREC_TOKEN."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._row: dict[str, Any] = {}
        self._state = State()

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, **options: Any
    ) -> RerecObservation:
        """The query of the Example `episode_id`, else of row `index` or `seed`, modulo the rows.

        Raises ValueError for an Example that is not in the file.
        """
        rows = read_rows(os.environ["REREC_DATASET"])
        place = options.get("index", seed or 0) % len(rows)
        if episode_id is not None:
            ids = [row["example_id"] for row in rows]
            if episode_id not in ids:
                raise ValueError(f"no Example {episode_id!r} in {os.environ['REREC_DATASET']}")
            place = ids.index(episode_id)
        self._row = rows[place]
        self._state = State(episode_id=self._row["example_id"], step_count=0)
        return RerecObservation(messages=self._row["responses_create_params"]["input"])

    def step(
        self, action: RerecAction, timeout_s: float | None = None, **options: Any
    ) -> RerecObservation:
        """The result of a look-up; or the reward of the response, and the end.

        Raises RuntimeError for what could not be scored, and before the first `reset`.
        """
        if not self._row:
            raise RuntimeError("no episode: call reset first")
        if action.tool == "respond":
            observation = self._score(action.response)
        else:
            observation = self._look_up(action)
        self._state.step_count += 1
        return observation

    @property
    def state(self) -> State:
        """The Example of the episode, and the steps made."""
        return self._state

    def _score(self, text: str) -> RerecObservation:
        response = {"example_id": self._row["example_id"], "response": text}
        (score,) = self._ask("/v1/score", {"responses": [response], "claims": False})["scores"]
        parts = {name: score[name] for name in PARTS if score[name] is not None}
        return RerecObservation(done=True, reward=score["score"], parts=parts)

    def _look_up(self, action: RerecAction) -> RerecObservation:
        call = {name: getattr(action, name) for name in ("tool", "relation", "item", "value")}
        call["among"] = self._row["candidates"]
        (result,) = self._ask("/v1/look", {"calls": [call]})["results"]
        return RerecObservation(found=result["found"], problem=result["problem"])

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        token = os.environ.get("REREC_TOKEN")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        url = os.environ.get("REREC_URL", "http://127.0.0.1:8700").rstrip("/") + path
        body["graph_digest"] = self._row["graph_digest"]
        answer = httpx.post(url, json=body, headers=headers, timeout=SECONDS)
        if answer.is_error:
            raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
