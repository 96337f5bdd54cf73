"""Prometheus metrics of a server.

What a chunk of scores adds is summed first: an update of a counter takes a few microseconds, and a
response has a dozen.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import get_args

from prometheus_client import Counter, Summary

from data_engine.http.metrics import RequestMetrics
from reward_server.wire import HeadScore, Score, Status, Verdict

PARTS, STAGES = ("score", "ndcg", "qas", "pas"), ("receive", "score", "encode")
HEAD_PARTS = ("ndcg", "consistency", "compression")


class BulkSummary(Summary):
    """A summary that takes many observations at once."""

    def add(self, count: int, total: float) -> None:
        """Observe `count` values of that total."""
        self._count.inc(count)
        self._sum.inc(total)


class Metrics(RequestMetrics):
    """Requests by outcome and their seconds; responses by status; sums of the score and its parts.

    Sums come with counts, so that a dashboard can draw means.
    """

    def __init__(self) -> None:
        super().__init__("score")
        self._statuses = self._counters(
            "rerec_scored_responses", "Scored responses by status", "status", get_args(Status)
        )
        self._verdicts = self._counters(
            "rerec_segments", "Segments by verdict", "verdict", get_args(Verdict)
        )
        self._parts = self._sums(
            "rerec_part", "Score and its parts over the responses that have them", "part", PARTS
        )
        self._stages = self._sums(
            "rerec_stage_seconds", "Seconds per request in each stage", "stage", STAGES
        )
        self._head_statuses = self._counters(
            "rerec_rechead_responses",
            "Responses to the RecHead by status",
            "status",
            get_args(Status),
        )
        self._head_parts = self._sums(
            "rerec_rechead_part",
            "The RecHead's parts over the responses that have them",
            "part",
            HEAD_PARTS,
        )

    def record_scores(self, scores: Sequence[Score]) -> None:
        """Record scores of a request."""
        _count(self._statuses, [score.status for score in scores])
        verdicts: list[str] = []
        for score in scores:
            verdicts += [segment.verdict for segment in score.segments]
        _count(self._verdicts, verdicts)
        _add(self._parts, scores)

    def record_head_scores(self, scores: Sequence[HeadScore]) -> None:
        """Record the RecHead's scores of a request."""
        _count(self._head_statuses, [score.status for score in scores])
        _add(self._head_parts, scores)

    def record_stages(self, *seconds: float) -> None:
        """Record the seconds of one request in each of STAGES."""
        for summary, value in zip(self._stages.values(), seconds, strict=True):
            summary.observe(value)

    def _counters(
        self, name: str, documentation: str, label: str, values: Sequence[str]
    ) -> dict[str, Counter]:
        """A counter for each value of the label: a series is there before its first count."""
        family = Counter(name, documentation, [label], registry=self.registry)
        return {value: family.labels(value) for value in values}

    def _sums(
        self, name: str, documentation: str, label: str, values: Sequence[str]
    ) -> dict[str, BulkSummary]:
        family = BulkSummary(name, documentation, [label], registry=self.registry)
        return {value: family.labels(value) for value in values}


def _count(counters: dict[str, Counter], values: Sequence[str]) -> None:
    for value, count in Tally(values).items():
        counters[value].inc(count)


def _add(sums: dict[str, BulkSummary], scores: Sequence[Score] | Sequence[HeadScore]) -> None:
    for part, summary in sums.items():
        values = [value for score in scores if (value := getattr(score, part)) is not None]
        if values:
            summary.add(len(values), sum(values))
