"""Prometheus metrics of one server process, in a registry of their own so that several apps can live in one process."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from reward_server.wire import Score


class Metrics:
    """Counts requests by outcome and responses by status; keeps the distribution of scores and request seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("rerec_score_requests", "Score requests by HTTP status", ["code"], registry=self.registry)
        self.responses = Counter("rerec_scored_responses", "Scored responses by status", ["status"], registry=self.registry)
        self.seconds = Histogram("rerec_score_seconds", "Seconds per score request", registry=self.registry)
        self.score = Histogram("rerec_score", "Scores given", buckets=[0, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5], registry=self.registry)

    def observe(self, scores: list[Score], seconds: float) -> None:
        """Record one answered request."""
        self.seconds.observe(seconds)
        for score in scores:
            self.responses.labels(score.status).inc()
            self.score.observe(score.score)
