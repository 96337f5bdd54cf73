"""NDCG of a model folder on held-out queries, by the evaluation that `rerec eval` makes."""

from pathlib import Path

from data_engine.datasets.sampling import evenly
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from reward_server.client import RewardClient
from reward_server.local import local_server
from train.evaluation.evaluate import EvalConfig, evaluate

ROOM = 1.25  # an answer is cut at so many times the tokens of the longest right one


class HeldOut:
    """Validation of one run: the same queries each time, scored by a server of its own."""

    def __init__(
        self, store: Path, evidence: Evidence, examples: list[Example], queries: int
    ) -> None:
        """queries: at most so many of the Examples; 0 asks none."""
        self.store, self.evidence = store, evidence
        self.examples = evenly(examples, queries) if queries else []

    def ndcg(self, model: Path, style: str, answer: int) -> dict[str, float]:
        """NDCG@1 and the share of answers that name a candidate, {} where nothing is asked.

        answer: tokens of the longest right answer.
        """
        if not self.examples:
            return {}
        config = EvalConfig(model=model, style=style, most_tokens=max(16, int(ROOM * answer)))
        with (
            local_server(self.store) as url,
            RewardClient(url, self.evidence.digest) as client,
        ):
            client.ready()
            found = evaluate(config, self.examples, self.evidence, client)
        summary = found["summary"]
        return {"ndcg": summary["ndcg"]["mean"], "answered": summary["answered"]}
