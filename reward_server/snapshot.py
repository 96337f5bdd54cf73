"""A read-only snapshot of a store, ready to score: targets, graph, embeddings, resolvers. No lock is held after loading."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_engine.errors import DataError
from data_engine.graphs import AttributeGraph
from data_engine.store import Store
from data_engine.titles import TitleResolver
from reward_server import scoring
from reward_server.claims import ClaimChecker
from reward_server.errors import UnknownExamples
from reward_server.segments import read
from reward_server.wire import Response, Score, Segment, Verdict


@dataclass(frozen=True)
class Snapshot:
    """Everything a score depends on. targets: example id → (gold, items near it); `unit` are embeddings scaled to length 1."""

    digest: str
    targets: dict[str, tuple[frozenset[str], frozenset[str]]]
    graph: AttributeGraph
    unit: dict[str, np.ndarray]
    titles: TitleResolver
    claims: ClaimChecker

    @classmethod
    def load(cls, path: Path | str) -> "Snapshot":
        """Read a store. Raises DataError when it has no Examples."""
        with Store.open(path, read_only=True) as store:
            targets, graph = store.targets(), AttributeGraph.from_store(store)
            if not targets:
                raise DataError(f"the store {path} holds no examples to score against: run `rerec synth --store {path}`")
            unit = {item: v / n for item, v in store.embeddings().items() if (n := float(np.linalg.norm(v)))}
            return cls(store.graph_digest, targets, graph, unit, TitleResolver(graph.titles), ClaimChecker(graph))

    def score(self, responses: list[Response], profile: scoring.Profile) -> list[Score]:
        """Scores in order. Raises UnknownExamples naming the ids, before anything is scored."""
        strangers = sorted({r.example_id for r in responses} - self.targets.keys())
        if strangers:
            raise UnknownExamples(f"{len(strangers)} example ids are not in this store (first: {strangers[0]}): was it synthesised again?")
        return [self.score_one(r, profile) for r in responses]

    def score_one(self, response: Response, profile: scoring.Profile) -> Score:
        """Score one response to a known Example."""
        text, (gold, near) = response.response, self.targets[response.example_id]
        reading = read(text)
        resolved = [self.titles.resolve(title, near) for title in reading.titles]
        named = [r.items[0] for r in resolved if r.status == "ok"]
        ranked = list(dict.fromkeys(named))
        status = "unresolved" if reading.status == "ok" and not ranked else reading.status
        parts = scoring.Parts(
            scoring.ndcg(ranked, gold, profile.k),
            scoring.query_alignment(ranked, gold, self.graph.edge_sets, profile.k),
            scoring.preference_alignment(ranked, gold, self.unit, profile.k),
        )
        total = scoring.combine(parts, profile) if ranked else 0.0
        wrong = frozenset(ranked) - gold
        segments = [self._segment(text, span, near | wrong, wrong, total, profile) for span in reading.spans]
        return Score(
            example_id=response.example_id,
            status=status,
            score=total,
            ndcg=parts.ndcg,
            qas=parts.qas,
            pas=parts.pas,
            recommended=ranked,
            duplicates=len(named) - len(ranked),
            unresolved=len(resolved) - len(named),
            segments=segments,
        )

    def _segment(
        self, text: str, span: tuple[int, int], near: frozenset[str], wrong: frozenset[str], total: float, profile: scoring.Profile
    ) -> Segment:
        line = text[span[0] : span[1]]
        mentions = self.titles.mentions(line, near)
        items = list(dict.fromkeys(m.item for m in mentions))
        judged = self.claims.check(line, mentions)
        right = line.startswith("<answer>") and bool(items)  # a recommendation is a claim too
        verdict: Verdict = "unknown"
        if wrong & set(items):
            verdict = "wrong_item"
        elif "contradicted" in judged:
            verdict = "contradicted"
        elif right or "supported" in judged:
            verdict = "ok"
        reward = scoring.penalised(total, profile) if verdict == "wrong_item" else total
        return Segment(start=span[0], end=span[1], mentions=items, verdict=verdict, reward=reward)
