"""POST /v1/score, /v1/rechead/score and /v1/look."""

import time
from collections.abc import Mapping

from reward_server.errors import Refused, StaleGraph
from reward_server.scoring import PROFILES, digest
from reward_server.server.endpoint import Endpoint, check_deadline
from reward_server.snapshot import Snapshot
from reward_server.wire import (
    MOST_RESPONSES,
    HeadRequest,
    HeadResponse,
    HeadScore,
    Looked,
    LookRequest,
    LookResponse,
    ScoreRequest,
    ScoreResponse,
    Weights,
)

CHUNK = 32  # responses scored between two looks at the clock
NAMED_WEIGHTS: Mapping[str, Weights] = {str(name): w for name, w in PROFILES.items()}
HEAD_CHUNK = 128  # larger: a sentence encoder works best on many texts


class ScoreEndpoint(Endpoint[ScoreRequest]):
    """POST /v1/score."""

    request_type, most_unthreaded = ScoreRequest, CHUNK

    def reply(
        self, snapshot: Snapshot, request: ScoreRequest, deadline: float
    ) -> tuple[bytes, float]:
        """As `Endpoint.reply`. Gives up at the deadline.

        A chunk is encoded and counted while the processor's caches still hold it; between chunks
        other threads have their turn.
        """
        weights, encoding = request.weights or named_weights(request.profile), 0.0
        pieces: list[bytes] = []
        for start in range(0, len(request.responses), CHUNK):
            check_deadline(deadline)
            scores = snapshot.score(
                request.responses[start : start + CHUNK], weights, claims=request.claims
            )
            scored = time.perf_counter()
            pieces.append(self._encode(scores)[1:-1])
            encoding += time.perf_counter() - scored
            self.metrics.record_scores(scores)
        opening = self._encode(ScoreResponse(snapshot.digest, digest(weights), []))[:-2]
        return b"".join((opening, b",".join(pieces), b"]}")), encoding


class HeadEndpoint(Endpoint[HeadRequest]):
    """POST /v1/rechead/score."""

    request_type, most_unthreaded = HeadRequest, 0

    def reply(
        self, snapshot: Snapshot, request: HeadRequest, deadline: float
    ) -> tuple[bytes, float]:
        """As `Endpoint.reply`. Gives up at the deadline."""
        head = snapshot.head
        if head is None:
            raise Refused(404, "this server holds no RecHead: start it with --rechead FOLDER")
        if request.head_digest not in (None, head.digest):
            raise StaleGraph(
                f"the request is for head {request.head_digest}, "
                f"this server holds {head.digest}: train or serve that one"
            )
        scores: list[HeadScore] = []
        for start in range(0, len(request.responses), HEAD_CHUNK):
            check_deadline(deadline)
            scores += head.score(request.responses[start : start + HEAD_CHUNK], request.k)
        self.metrics.record_head_scores(scores)
        scored = time.perf_counter()
        body = self._encode(HeadResponse(snapshot.digest, head.digest, scores))
        return body, time.perf_counter() - scored


class LookEndpoint(Endpoint[LookRequest]):
    """POST /v1/look."""

    request_type, most_unthreaded = LookRequest, MOST_RESPONSES
    limits = f"1 to {MOST_RESPONSES} look-ups among up to 1000 items each"

    def size(self, request: LookRequest) -> int:
        """The number of names to look up: some microseconds each."""
        return sum(1 + len(call.among) for call in request.calls)

    def reply(
        self, snapshot: Snapshot, request: LookRequest, deadline: float
    ) -> tuple[bytes, float]:
        """As `Endpoint.reply`. Gives up at the deadline."""
        found: list[Looked] = []
        for call in request.calls:
            check_deadline(deadline)
            found.append(snapshot.look_up(call))
        return self._encode(LookResponse(snapshot.digest, found)), 0.0


def named_weights(profile: str) -> Weights:
    """The weights of a named profile. Raises Refused (422) for another name."""
    weights = NAMED_WEIGHTS.get(profile)
    if weights is None:
        names = ", ".join(NAMED_WEIGHTS)
        raise Refused(422, f"no profile {profile!r}: choose from {names}, or send weights")
    return weights
