"""The wire types, version 1: what a client sends and gets, always with the same keys.

msgspec decodes a body straight into them, without dictionaries in between. Class names are the
schema names of the OpenAPI document, docstrings their descriptions.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from data_engine.responses.claim import Claim as Claim
from data_engine.responses.reading import Status as Status

MOST_RESPONSES = 1024  # of one request
# Characters of a response. The server refuses a longer one; a client with a policy's cuts it.
MOST_CHARACTERS = 32_768
MOST_NAME, MOST_TITLE = 200, 1000  # characters

Verdict = Literal["ok", "wrong_item", "contradicted", "unknown"]
Profile = Literal["ndcg", "rerec", "rerec-conditions", "open-catalogue"]
Share = Annotated[float, Meta(ge=0, le=10)]


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Frozen; unknown fields are refused.

    Never part of a reference cycle, so that the garbage collector need not track it.
    """


class Weights(Wire, frozen=True):
    """How the parts of a reward make a score.

    k: the cut-off. qas, pas: the weights w1 of QAS and w2 of PAS. penalty: RAAE's w_penalty for
    segments that led to a wrong item. qas_over: QAS compares with the gold items' edges, as
    published, or counts the query's own conditions. right: the gold items, or, where the whole
    catalogue was to be chosen from, every item that meets all conditions and that the query does
    not name.
    """

    k: Annotated[int, Meta(ge=1, le=1000)] = 1
    qas: Share = 0.0
    pas: Share = 0.0
    penalty: Annotated[float, Meta(ge=0, le=1)] = 0.0
    qas_over: Literal["ground_truth", "conditions"] = "ground_truth"
    right: Literal["gold", "conditions"] = "gold"


class Response(Wire, frozen=True):
    """A policy's whole response to one Example."""

    example_id: Annotated[str, Meta(max_length=64)]
    response: Annotated[str, Meta(max_length=MOST_CHARACTERS)]


class ScoreRequest(Wire, frozen=True):
    """A batch to score, by a named profile or by `weights`.

    With `graph_digest`, a server that holds another graph refuses (409). Without `claims`, verdicts
    know recommendations only, at about half the cost.
    """

    responses: Annotated[list[Response], Meta(min_length=1, max_length=MOST_RESPONSES)]
    graph_digest: Annotated[str, Meta(max_length=64)] | None = None
    profile: Annotated[
        str, Meta(max_length=64, extra_json_schema={"enum": list(get_args(Profile))})
    ] = "rerec"
    weights: Weights | None = None
    claims: bool = True

    def __len__(self) -> int:
        """The number of responses."""
        return len(self.responses)


class Segment(Wire, frozen=True):
    """A reasoning step (a line) or the answer block: characters start..end of the response.

    mentions: item ids named there. reward: the response's score, less the penalty where the
    verdict is wrong_item.
    """

    start: int
    end: int
    mentions: list[str]
    verdict: Verdict
    reward: float
    claims: list[Claim]


class Score(Wire, frozen=True):
    """score = ndcg + the weights on qas and pas.

    A part that the graphs cannot give is null. A response that recommends nothing scores 0, by its
    status.
    """

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


class ScoreResponse(Wire, frozen=True):
    """Scores in request order, with the digests of the graph and of the weights behind them."""

    graph_digest: str
    profile_digest: str
    scores: list[Score]


class HeadAsk(Wire, frozen=True):
    """A response about the next item: chain of thought before <answer>, a short description in it.

    Either at a moment of the store, `query_id` USER:ITEMS_BEFORE, where the server knows the next
    item; or after a `history` of item ids, oldest first, where it is not known. The response may be
    empty.
    """

    query_id: Annotated[str, Meta(max_length=MOST_NAME)] | UnsetType = UNSET
    history: (
        Annotated[
            list[Annotated[str, Meta(max_length=MOST_NAME)]], Meta(min_length=1, max_length=1000)
        ]
        | UnsetType
    ) = UNSET
    response: Annotated[str, Meta(max_length=MOST_CHARACTERS)] = ""


ONE_OF = Meta(extra_json_schema={"oneOf": [{"required": ["query_id"]}, {"required": ["history"]}]})


class HeadRequest(Wire, frozen=True):
    """A batch for the RecHead.

    With `graph_digest` or `head_digest`, a server that holds another one refuses (409).
    """

    responses: Annotated[
        list[Annotated[HeadAsk, ONE_OF]], Meta(min_length=1, max_length=MOST_RESPONSES)
    ]
    graph_digest: Annotated[str, Meta(max_length=64)] | None = None
    head_digest: Annotated[str, Meta(max_length=64)] | None = None
    k: Annotated[int, Meta(ge=1, le=1_000_000)] = 10

    def __len__(self) -> int:
        """The number of responses."""
        return len(self.responses)


class HeadScore(Wire, frozen=True):
    """What a response about the next item is worth to the RecHead, each part apart.

    ndcg: of the true next item at k, 0 without a readable answer. rank: of that item, from 1. Both
      null where the next item is not known.
    consistency: cosine of thought and answer. compression: compressed bytes of the thought over its
      bytes. Both null without a thought and an answer.
    recommended: the ids of the first k items, at most 100, best first.
    """

    status: Status
    ndcg: float | None
    rank: int | None
    consistency: float | None
    compression: float | None
    recommended: list[str]


class HeadResponse(Wire, frozen=True):
    """Scores in request order, with the digests of the graph and of the head behind them."""

    graph_digest: str
    head_digest: str
    scores: list[HeadScore]


class Look(Wire, frozen=True):
    """One look-up in the attribute graph.

    lookup: the values of `relation` that `item`, a title, has; `among` says which of several items
      of a title is meant.
    holders: those of the items `among`, by id or title, that have `value` for `relation`;
    what names no item is passed over.
    """

    tool: Literal["lookup", "holders"]
    relation: Annotated[str, Meta(max_length=MOST_NAME)]
    item: Annotated[str, Meta(max_length=MOST_TITLE)] = ""
    value: Annotated[str, Meta(max_length=MOST_TITLE)] = ""
    among: Annotated[list[Annotated[str, Meta(max_length=MOST_TITLE)]], Meta(max_length=1000)] = []


class LookRequest(Wire, frozen=True):
    """A batch of look-ups.

    With `graph_digest`, a server that holds another graph refuses (409).
    """

    calls: Annotated[list[Look], Meta(min_length=1, max_length=MOST_RESPONSES)]
    graph_digest: Annotated[str, Meta(max_length=64)] | None = None

    def __len__(self) -> int:
        """The number of look-ups."""
        return len(self.calls)


class Looked(Wire, frozen=True):
    """The result of a look-up: names of values, or titles of items.

    problem: why the look-up could not be understood, "" otherwise.
    """

    found: list[str]
    problem: str


class LookResponse(Wire, frozen=True):
    """Results in request order, with the digest of the graph."""

    graph_digest: str
    results: list[Looked]
