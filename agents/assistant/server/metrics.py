"""Prometheus metrics of the assistant: requests, and answers by what came of them."""

from prometheus_client import Counter

from agents.assistant.answer import Answer
from data_engine.http.metrics import RequestMetrics

OUTCOMES = ("matching", "closest", "nothing", "told")


class AskMetrics(RequestMetrics):
    """As `RequestMetrics`, and answers by outcome: items that match, the closest where none does,
    nothing to show, or something told of items that were shown.
    """

    def __init__(self) -> None:
        super().__init__("ask")
        answers = Counter(
            "rerec_ask_answers", "Answers by outcome", ["outcome"], registry=self.registry
        )
        self._outcomes = {outcome: answers.labels(outcome) for outcome in OUTCOMES}
        self._corrections = Counter(
            "rerec_ask_corrections", "False statements corrected", registry=self.registry
        )
        self._reasonings = Counter(
            "rerec_ask_reasonings",
            "Answers of a policy, or why there is none",
            ["outcome"],
            registry=self.registry,
        )
        self._claims = Counter(
            "rerec_ask_claims", "Claims of a policy", ["verdict"], registry=self.registry
        )

    def record_answer(self, answer: Answer) -> None:
        """Record one answer."""
        self._outcomes[_outcome(answer)].inc()
        if answer.reasoning:
            self._reasonings.labels("missing" if answer.reasoning.problem else "answered").inc()
            for claim in answer.reasoning.claims:
                self._claims.labels(claim.verdict).inc()
        self._corrections.inc(sum(one.verdict == "false" for one in answer.corrections))


def _outcome(answer: Answer) -> str:
    if answer.act in ("why", "who"):
        return "told"
    if not answer.recommendations:
        return "nothing"
    return "matching" if answer.matching else "closest"
