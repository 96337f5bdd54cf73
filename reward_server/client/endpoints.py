"""Typed descriptions of the server's endpoints: where to post, how to encode, how to decode."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from reward_server.wire import (
    MOST_RESPONSES,
    HeadAsk,
    HeadRequest,
    HeadResponse,
    HeadScore,
    Look,
    Looked,
    LookRequest,
    LookResponse,
    Response,
    Score,
    ScoreRequest,
    ScoreResponse,
    Weights,
)

Request = TypeVar("Request")
Reply = TypeVar("Reply")

# New texts are encoded first: about 10 ms each, and far more where cores are shared.
HEAD_BATCH_SIZE = 32

_encode = msgspec.json.Encoder().encode
_decode_scores = msgspec.json.Decoder(ScoreResponse).decode
_decode_head_scores = msgspec.json.Decoder(HeadResponse).decode
_decode_lookups = msgspec.json.Decoder(LookResponse).decode


@dataclass(frozen=True)
class Endpoint(Generic[Request, Reply]):
    """A path that takes batches of at most `batch_size` requests and gives one reply for each.

    encode: requests to a body. decode: a body to replies, in the order of the requests; raises
    msgspec.DecodeError.
    """

    path: str
    encode: Callable[[list[Request]], bytes]
    decode: Callable[[bytes], list[Reply]]
    batch_size: int = MOST_RESPONSES

    def bodies(self, requests: Sequence[Request]) -> Iterator[bytes]:
        """One body for each batch of the requests, in order."""
        for start in range(0, len(requests), self.batch_size):
            yield self.encode(list(requests[start : start + self.batch_size]))


def score_endpoint(
    digest: str | None, profile: str | Weights, claims: bool
) -> Endpoint[Response, Score]:
    """Scores of responses by a named profile or by weights; without `claims` at half the cost."""

    def encode(responses: list[Response]) -> bytes:
        if isinstance(profile, str):
            return _encode(ScoreRequest(responses, digest, profile=profile, claims=claims))
        return _encode(ScoreRequest(responses, digest, weights=profile, claims=claims))

    def decode(body: bytes) -> list[Score]:
        return _decode_scores(body).scores

    return Endpoint("/v1/score", encode, decode)


def head_endpoint(
    digest: str | None, head_digest: str | None, k: int
) -> Endpoint[HeadAsk, HeadScore]:
    """NDCG@k by the server's RecHead, of this digest where one is given."""

    def encode(responses: list[HeadAsk]) -> bytes:
        return _encode(HeadRequest(responses, digest, head_digest, k))

    def decode(body: bytes) -> list[HeadScore]:
        return _decode_head_scores(body).scores

    return Endpoint("/v1/rechead/score", encode, decode, HEAD_BATCH_SIZE)


def look_endpoint(digest: str | None) -> Endpoint[Look, Looked]:
    """Look-ups in the server's attribute graph."""

    def encode(calls: list[Look]) -> bytes:
        return _encode(LookRequest(calls, digest))

    def decode(body: bytes) -> list[Looked]:
        return _decode_lookups(body).results

    return Endpoint("/v1/look", encode, decode)
