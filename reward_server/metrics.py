"""Prometheus metrics of one server process, in a registry of their own so that several apps can live in one process."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

from reward_server.wire import Score, Status, Verdict


class Metrics:
    """Requests by outcome and their seconds; responses by status; sums of the score and of each part, so that means can be drawn."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("rerec_score_requests", "Score requests by HTTP status", ["code"], registry=self.registry)
        responses = Counter("rerec_scored_responses", "Scored responses by status", ["status"], registry=self.registry)
        segments = Counter("rerec_segments", "Segments by verdict", ["verdict"], registry=self.registry)
        parts = Summary("rerec_part", "Score and its parts over the responses that have them", ["part"], registry=self.registry)
        stages = Summary("rerec_stage_seconds", "Seconds per request in each stage", ["stage"], registry=self.registry)
        self.stages = {stage: stages.labels(stage) for stage in ("receive", "score", "encode")}
        self.seconds = Histogram("rerec_score_seconds", "Seconds per score request", registry=self.registry)
        self.responses = {status: responses.labels(status) for status in get_args(Status)}
        self.segments = {verdict: segments.labels(verdict) for verdict in get_args(Verdict)}
        self.parts = {part: parts.labels(part) for part in ("score", "ndcg", "qas", "pas")}

    def answered(self, code: int, seconds: float) -> None:
        """Record one request."""
        self.requests.labels(str(code)).inc()
        self.seconds.observe(seconds)

    def scored(self, scores: Sequence[Score]) -> None:
        """Record the scores of one request, a handful of updates for the whole batch."""
        for status, count in Tally([score.status for score in scores]).items():
            self.responses[status].inc(count)
        for verdict, count in Tally([segment.verdict for score in scores for segment in score.segments]).items():
            self.segments[verdict].inc(count)
        for part, summary in self.parts.items():
            values = [value for score in scores if (value := getattr(score, part)) is not None]
            summary._count.inc(len(values))
            summary._sum.inc(sum(values))
