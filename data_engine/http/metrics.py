"""Prometheus metrics of the requests of a server.

With several workers prometheus_client's multiprocess mode adds them up: it is chosen by an
environment variable before that library is imported (see `data_engine.http.counting`).
"""

import os
from math import inf

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

# fmt: off
BOUNDS = (  # of the histogram's buckets, in seconds
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, inf,
)
# fmt: on
disable_created_metrics()  # type: ignore[no-untyped-call]  # several workers have none either


class RequestMetrics:
    """Requests by HTTP status, and their seconds, as rerec_KIND_requests and rerec_KIND_seconds.

    Each object has a registry of its own, so that several applications can live in one process.
    """

    def __init__(self, kind: str) -> None:
        self.registry = CollectorRegistry()
        self._codes = Counter(
            f"rerec_{kind}_requests",
            f"{kind.capitalize()} requests by HTTP status",
            ["code"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"rerec_{kind}_seconds",
            f"Seconds per {kind} request",
            buckets=BOUNDS,
            registry=self.registry,
        )

    def record_request(self, code: int, seconds: float) -> None:
        """Record the HTTP status of one request, and the seconds it took."""
        self._codes.labels(code).inc()
        self._seconds.observe(seconds)

    def text(self) -> bytes:
        """The exposition that a scrape reads: of all workers, also those that have ended."""
        registry = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
