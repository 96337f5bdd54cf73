"""Prometheus metrics of one server process, in a registry of their own so that several apps can live in one process."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

from reward_server.wire import Score


class Metrics:
    """Requests by outcome and their seconds; responses by status; sums of the score and of each part, so that means can be drawn."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("rerec_score_requests", "Score requests by HTTP status", ["code"], registry=self.registry)
        self.responses = Counter("rerec_scored_responses", "Scored responses by status", ["status"], registry=self.registry)
        self.verdicts = Counter("rerec_segments", "Segments by verdict", ["verdict"], registry=self.registry)
        self.seconds = Histogram("rerec_score_seconds", "Seconds per score request", registry=self.registry)
        self.parts = Summary("rerec_part", "Score and its parts over the responses that have them", ["part"], registry=self.registry)

    def answered(self, code: int, seconds: float) -> None:
        """Record one request."""
        self.requests.labels(str(code)).inc()
        self.seconds.observe(seconds)

    def scored(self, scores: Sequence[Score]) -> None:
        """Record the scores of one request, a handful of updates for the whole batch."""
        for status, count in Tally([score.status for score in scores]).items():
            self.responses.labels(status).inc(count)
        for verdict, count in Tally([segment.verdict for score in scores for segment in score.segments]).items():
            self.verdicts.labels(verdict).inc(count)
        for part in ("score", "ndcg", "qas", "pas"):
            values = [value for score in scores if (value := getattr(score, part)) is not None]
            summary = self.parts.labels(part)
            summary._count.inc(len(values))
            summary._sum.inc(sum(values))
