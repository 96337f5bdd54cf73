"""The wire types, version 1: what a client sends and gets. The same keys always.

msgspec decodes straight into them, so a body is never held as anything but its bytes and these.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from data_engine.responses.claim import Claim as Claim
from data_engine.responses.reading import Status as Status

MOST_RESPONSES = 1024
MOST_CHARACTERS = (
    32_768  # of a response; whoever has a policy's longer one cuts it, the server refuses it
)
MOST_NAME, MOST_TITLE = 200, 1000  # characters

Verdict = Literal["ok", "wrong_item", "contradicted", "unknown"]
Profile = Literal["ndcg", "rerec", "rerec-conditions", "open-catalogue"]
Share = Annotated[float, Meta(ge=0, le=10)]


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Frozen; unknown fields are refused; never part of a cycle, so the garbage collector need not look."""


class Weights(Wire):
    """How parts make a score: the cut-off K, w1 (QAS), w2 (PAS), RAAE's w_penalty for segments that led to a wrong item; whether QAS compares
    with the gold items' edges (as published) or counts the query's own conditions; and what is right: the gold items, or, when the whole
    catalogue was to be chosen from, each item that meets all conditions and that the query does not name."""

    k: Annotated[int, Meta(ge=1, le=1000)] = 1
    qas: Share = 0.0
    pas: Share = 0.0
    penalty: Annotated[float, Meta(ge=0, le=1)] = 0.0
    qas_over: Literal["ground_truth", "conditions"] = "ground_truth"
    right: Literal["gold", "conditions"] = "gold"


class Response(Wire):
    """A policy's whole response to one Example."""

    example_id: Annotated[str, Meta(max_length=64)]
    response: Annotated[str, Meta(max_length=MOST_CHARACTERS)]


class ScoreRequest(Wire):
    """A batch to score, by a named profile or by weights of its own. With `graph_digest`, a server that holds another graph refuses (409).
    Without `claims`, verdicts know recommendations only, at about half the cost."""

    responses: Annotated[list[Response], Meta(min_length=1, max_length=MOST_RESPONSES)]
    graph_digest: Annotated[str, Meta(max_length=64)] | None = None
    profile: Annotated[
        str, Meta(max_length=64, extra_json_schema={"enum": list(get_args(Profile))})
    ] = "rerec"
    weights: Weights | None = None
    claims: bool = True

    def __len__(self) -> int:
        """How many are asked about."""
        return len(self.responses)


class Segment(Wire):
    """A reasoning step (a line) or the answer block: characters start..end of the response.

    mentions: item ids named there; reward: the response's score, less the penalty where the verdict is wrong_item.
    """

    start: int
    end: int
    mentions: list[str]
    verdict: Verdict
    reward: float
    claims: list[Claim]


class Score(Wire):
    """score = ndcg + the weights on qas and pas; a part the graphs cannot give is null. Nothing recommended scores 0 by its status."""

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
    """Scores in request order; the digests of the graph they were made on and of the weights they were made with."""

    graph_digest: str
    profile_digest: str
    scores: list[Score]


class HeadAsk(Wire):
    """A response about what comes next: at a moment of the store, `query_id` USER:ITEMS_BEFORE, where the server knows what came; or after a
    `history` of item ids, oldest first, where nobody knows. Chain of thought before <answer>, a short description in it; none is allowed."""

    query_id: Annotated[str, Meta(max_length=MOST_NAME)] | UnsetType = UNSET
    history: (
        Annotated[
            list[Annotated[str, Meta(max_length=MOST_NAME)]], Meta(min_length=1, max_length=1000)
        ]
        | UnsetType
    ) = UNSET
    response: Annotated[str, Meta(max_length=MOST_CHARACTERS)] = ""


ONE_OF = Meta(extra_json_schema={"oneOf": [{"required": ["query_id"]}, {"required": ["history"]}]})


class HeadRequest(Wire):
    """A batch for the RecHead. With `graph_digest` or `head_digest`, a server that holds another refuses (409)."""

    responses: Annotated[
        list[Annotated[HeadAsk, ONE_OF]], Meta(min_length=1, max_length=MOST_RESPONSES)
    ]
    graph_digest: Annotated[str, Meta(max_length=64)] | None = None
    head_digest: Annotated[str, Meta(max_length=64)] | None = None
    k: Annotated[int, Meta(ge=1, le=1_000_000)] = 10

    def __len__(self) -> int:
        """How many are asked about."""
        return len(self.responses)


class HeadScore(Wire):
    """ndcg: of the true next item at K, 0 without a readable answer; rank: its place, from 1; both null where nobody knows what came. consistency:
    cosine of thought and answer; compression: compressed bytes of the thought over its bytes; both null without a thought and an answer.
    recommended: the ids of the first K items, at most 100, best first."""

    status: Status
    ndcg: float | None
    rank: int | None
    consistency: float | None
    compression: float | None
    recommended: list[str]


class HeadResponse(Wire):
    """Scores in request order; the digests of the graph and of the head they were made with."""

    graph_digest: str
    head_digest: str
    scores: list[HeadScore]


class Look(Wire):
    """One look-up. lookup: what `item`, a title, has for `relation`. holders: which of the items `among`, by id, have `value` for `relation`.
    For a lookup `among` says which of several items of a title is meant."""

    tool: Literal["lookup", "holders"]
    relation: Annotated[str, Meta(max_length=MOST_NAME)]
    item: Annotated[str, Meta(max_length=MOST_TITLE)] = ""
    value: Annotated[str, Meta(max_length=MOST_TITLE)] = ""
    among: Annotated[list[Annotated[str, Meta(max_length=MOST_NAME)]], Meta(max_length=1000)] = []


class LookRequest(Wire):
    """A batch of look-ups. With `graph_digest`, a server that holds another graph refuses (409)."""

    calls: Annotated[list[Look], Meta(min_length=1, max_length=MOST_RESPONSES)]
    graph_digest: Annotated[str, Meta(max_length=64)] | None = None

    def __len__(self) -> int:
        """How many are asked for."""
        return len(self.calls)


class Looked(Wire):
    """Names of values, or titles of items; `problem` says why a call could not be understood, "" otherwise."""

    found: list[str]
    problem: str


class LookResponse(Wire):
    """What was found, in request order; the digest of the graph."""

    graph_digest: str
    results: list[Looked]

    @property
    def scores(self) -> list[Looked]:
        """What a client hands out, whatever was asked for."""
        return self.results
