"""The wire types, version 1: what a client sends and gets. The same keys always."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_RESPONSES = 1024
MOST_CHARACTERS = 32_768

Status = Literal["ok", "no_answer", "unresolved", "malformed"]
Verdict = Literal["ok", "wrong_item", "contradicted", "unknown"]


class Wire(BaseModel):
    """Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(Wire):
    """A policy's whole response to one Example."""

    example_id: str = Field(max_length=64)
    response: str = Field(max_length=MOST_CHARACTERS)


class ScoreRequest(Wire):
    """A batch to score. With `graph_digest`, a server that holds another graph refuses (409) instead of scoring wrongly."""

    graph_digest: str | None = Field(None, max_length=64)
    profile: Literal["ndcg", "rerec"] = "rerec"
    responses: list[Response] = Field(min_length=1, max_length=MOST_RESPONSES)


class Segment(Wire):
    """A reasoning step (a line) or the answer block: characters start..end of the response.

    mentions: item ids named there; reward: the response's score, less the penalty where the verdict is wrong_item.
    """

    start: int
    end: int
    mentions: list[str]
    verdict: Verdict
    reward: float


class Score(Wire):
    """score = ndcg + the profile's weights on qas and pas; a part the graphs cannot give is null. Nothing recommended scores 0 by its status."""

    example_id: str
    status: Status
    score: float
    ndcg: float
    qas: float | None
    pas: float | None
    recommended: list[str]
    duplicates: int
    unresolved: int
    segments: list[Segment]


class ScoreResponse(Wire):
    """Scores in request order, and the digest of the graph they were made on."""

    graph_digest: str
    scores: list[Score]
