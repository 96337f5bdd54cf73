"""Prometheus metrics of one server process: plain sums while serving, families made when they are asked for.

One lock for all that a chunk of scores adds: those of prometheus_client's own counters take a few microseconds an update, and a response has
a dozen.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf
from threading import Lock
from typing import get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric, SummaryMetricFamily

from reward_server.wire import HeadScore, Score, Status, Verdict

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, inf)  # seconds
PARTS, STAGES = ("score", "ndcg", "qas", "pas"), ("receive", "score", "encode")
HEAD_PARTS = ("ndcg", "consistency", "compression")


class Metrics:
    """Requests by outcome and their seconds; responses by status; sums of the score and of each part, so that means can be drawn. Its registry is
    its own, so that several apps can live in one process."""

    def __init__(self) -> None:
        self.codes, self.statuses, self.verdicts = Tally[int](), Tally(dict.fromkeys(get_args(Status), 0)), Tally(dict.fromkeys(get_args(Verdict), 0))
        self.within, self.seconds = [0] * len(BOUNDS), 0.0
        self.parts = {part: [0, 0.0] for part in PARTS}  # how many, their sum
        self.head_statuses, self.head_parts = Tally(dict.fromkeys(get_args(Status), 0)), {part: [0, 0.0] for part in HEAD_PARTS}
        self.stages = {stage: [0, 0.0] for stage in STAGES}
        self._lock = Lock()  # large batches are scored, and counted, in a thread of their own
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def answered(self, code: int, seconds: float) -> None:
        """Record one request."""
        self.codes[code] += 1
        self.within[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def scored(self, scores: Sequence[Score]) -> None:
        """Record scores of a request."""
        with self._lock:
            self.statuses.update([score.status for score in scores])
            self.verdicts.update([segment.verdict for score in scores for segment in score.segments])
            _add(self.parts, scores)

    def headed(self, scores: Sequence[HeadScore]) -> None:
        """Record the RecHead's scores of a request."""
        with self._lock:
            self.head_statuses.update([score.status for score in scores])
            _add(self.head_parts, scores)

    def staged(self, *seconds: float) -> None:
        """Record the seconds of one request's STAGES."""
        for sums, value in zip(self.stages.values(), seconds, strict=True):
            sums[0] += 1
            sums[1] += value

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's interface."""
        yield _counted("rerec_score_requests", "Score requests by HTTP status", "code", self.codes)
        yield _counted("rerec_scored_responses", "Scored responses by status", "status", self.statuses)
        yield _counted("rerec_rechead_responses", "Responses to the RecHead by status", "status", self.head_statuses)
        yield _summed("rerec_rechead_part", "The RecHead's parts over the responses that have them", "part", self.head_parts)
        yield _counted("rerec_segments", "Segments by verdict", "verdict", self.verdicts)
        yield _summed("rerec_part", "Score and its parts over the responses that have them", "part", self.parts)
        yield _summed("rerec_stage_seconds", "Seconds per request in each stage", "stage", self.stages)
        bounds = ["+Inf" if bound == inf else str(bound) for bound in BOUNDS]
        buckets = list(zip(bounds, accumulate(self.within), strict=True))
        yield HistogramMetricFamily("rerec_score_seconds", "Seconds per score request", buckets=buckets, sum_value=self.seconds)


def _add(sums: dict[str, list], scores: Sequence[Score] | Sequence[HeadScore]) -> None:
    for part, total in sums.items():
        values = [value for score in scores if (value := getattr(score, part)) is not None]
        total[0] += len(values)
        total[1] += sum(values)


def _counted(name: str, what: str, label: str, counts: dict) -> Metric:
    family = CounterMetricFamily(name, what, labels=[label])
    for value, count in counts.items():
        family.add_metric([str(value)], count)
    return family


def _summed(name: str, what: str, label: str, sums: dict[str, list]) -> Metric:
    family = SummaryMetricFamily(name, what, labels=[label])
    for value, (count, total) in sums.items():
        family.add_metric([value], count, total)
    return family
