"""The contracts of other trainers over the scores of /v1/score, and the look-ups as tools.

Each endpoint decodes what a trainer sends, and encodes what it expects; between them is the code
that /v1/score and /v1/look use. For trainers that send nothing but a label, `?profile=NAME` and
`?graph_digest=DIGEST` in the URL stand for the fields of those names.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from reward_server.compat import labelled, nemo_gym
from reward_server.compat.tools import HoldersArguments, LookupArguments
from reward_server.errors import Refused, UnknownExamples
from reward_server.server.endpoint import Endpoint, check_deadline
from reward_server.server.scoring_endpoints import CHUNK, named_weights
from reward_server.snapshot import Snapshot
from reward_server.wire import MOST_CHARACTERS, Response, Score, Weights

PROFILE, DIGEST = "profile", "graph_digest"  # options of a URL


@dataclass(frozen=True)
class Asked:
    """A decoded request: the trainer's record, and what of it counts here.

    row: the whole body, where the answer repeats it.
    """

    record: Any
    graph_digest: str | None
    responses: list[Response] = field(default_factory=list)
    weights: Weights = field(default_factory=Weights)
    row: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of responses."""
        return len(self.responses)


class CompatEndpoint(Endpoint[Asked]):
    """A POST endpoint with the contract of a trainer; limits and refusals are `Endpoint`'s."""

    most_unthreaded = CHUNK

    def decode(self, body: bytes, options: dict[str, str]) -> Asked:
        """As `Endpoint.decode`."""
        record = self._decode(body)
        try:
            return self.read(record, options, body)
        except (ValueError, OverflowError) as error:
            raise Refused(422, str(error)) from error

    def read(self, record: Any, options: dict[str, str], body: bytes) -> Asked:
        """What counts here of a record. Raises ValueError where it contradicts itself."""
        return Asked(record, options.get(DIGEST))

    def reply(self, snapshot: Snapshot, request: Asked, deadline: float) -> tuple[bytes, float]:
        """As `Endpoint.reply`."""
        scores: list[Score] = []
        for start in range(0, len(request), CHUNK):
            check_deadline(deadline)
            some = request.responses[start : start + CHUNK]
            scores += snapshot.score(some, request.weights, claims=False)
        self.metrics.record_scores(scores)
        return self._encode(self.answer(snapshot, request, scores)), 0.0

    def answer(self, snapshot: Snapshot, request: Asked, scores: list[Score]) -> Any:
        """What the trainer expects of the scores."""
        raise NotImplementedError


class LabelledEndpoint(CompatEndpoint):
    """A trainer that sends labels."""

    options = (PROFILE, DIGEST)

    def read(self, record: Any, options: dict[str, str], body: bytes) -> Asked:
        """As `CompatEndpoint.read`; labels of several graphs are those of none."""
        digests = {labelled.split_label(label)[1] for label in record.labels_sent()}
        digests = (digests | {options.get(DIGEST, "")}) - {""}
        weights = named_weights(options.get(PROFILE, "rerec"))
        responses = _limited(record.responses())
        return Asked(record, " and ".join(sorted(digests)) or None, responses, weights)


class SlimeEndpoint(LabelledEndpoint):
    """POST /compat/slime."""

    request_type = labelled.SlimeRequest

    def answer(self, snapshot: Snapshot, request: Asked, scores: list[Score]) -> float:
        """The score."""
        return scores[0].score


class OpenRLHFEndpoint(LabelledEndpoint):
    """POST /compat/openrlhf."""

    request_type = labelled.OpenRLHFRequest

    def answer(
        self, snapshot: Snapshot, request: Asked, scores: list[Score]
    ) -> labelled.OpenRLHFResponse:
        """Rewards and logs; a part that is null somewhere cannot be logged as a number."""
        totals = [score.score for score in scores]
        logs: dict[str, list[float]] = {"ndcg": [score.ndcg for score in scores]}
        for part in ("qas", "pas"):
            values = [getattr(score, part) for score in scores]
            if None not in values:
                logs[part] = values
        return labelled.OpenRLHFResponse(totals, totals, logs)


class SeedEndpoint(CompatEndpoint):
    """POST /seed_session."""

    request_type, limits = nemo_gym.SeedRequest, ""

    def read(self, record: Any, options: dict[str, str], body: bytes) -> Asked:
        """As `CompatEndpoint.read`."""
        return Asked(record, record.graph_digest)

    def answer(
        self, snapshot: Snapshot, request: Asked, scores: list[Score]
    ) -> nemo_gym.SeedResponse:
        """Nothing, for an Example that can be scored. Raises UnknownExamples for another."""
        if request.record.example_id not in snapshot.targets:
            raise UnknownExamples(f"no example {request.record.example_id!r} in this store")
        return nemo_gym.SeedResponse()


class VerifyEndpoint(CompatEndpoint):
    """POST /verify."""

    request_type, limits = nemo_gym.VerifyRequest, ""

    def read(self, record: Any, options: dict[str, str], body: bytes) -> Asked:
        """As `CompatEndpoint.read`."""
        responses, weights = _limited(record.responses()), named_weights(record.profile)
        row = msgspec.json.decode(body)
        return Asked(record, record.graph_digest, responses, weights, row)

    def answer(self, snapshot: Snapshot, request: Asked, scores: list[Score]) -> dict[str, Any]:
        """The request with a `VerifyResponse` in it, and nothing of one that it held before."""
        (score,) = scores
        parts = {"ndcg": score.ndcg, "qas": score.qas, "pas": score.pas}
        known = {name: value for name, value in parts.items() if value is not None}
        row = {name: value for name, value in request.row.items() if name not in parts}
        return {**row, "reward": score.score, "answer_status": score.status, **known}


class AggregateEndpoint(CompatEndpoint):
    """POST /aggregate_metrics."""

    request_type, limits = nemo_gym.AggregateRequest, ""
    most_unthreaded = -1  # always in a thread

    def answer(
        self, snapshot: Snapshot, request: Asked, scores: list[Score]
    ) -> nemo_gym.AggregateResponse:
        """Means of what /verify answered."""
        try:
            return nemo_gym.aggregate(request.record.verify_responses)
        except (ValueError, OverflowError) as error:
            raise Refused(422, str(error)) from error


class ToolEndpoint(CompatEndpoint):
    """A look-up as a tool."""

    options, limits = (DIGEST,), ""

    def answer(self, snapshot: Snapshot, request: Asked, scores: list[Score]) -> Any:
        """The result: what was found, or why nothing was."""
        return snapshot.call_tool(request.record.look())


class LookupEndpoint(ToolEndpoint):
    """POST /lookup."""

    request_type = LookupArguments


class HoldersEndpoint(ToolEndpoint):
    """POST /holders."""

    request_type = HoldersArguments


def _limited(responses: list[Response]) -> list[Response]:
    """The responses. Raises ValueError for one that is too long to be scored."""
    longest = max(len(response.response) for response in responses)
    if longest > MOST_CHARACTERS:
        raise ValueError(f"a response has {longest} characters, at most {MOST_CHARACTERS} are read")
    return responses
