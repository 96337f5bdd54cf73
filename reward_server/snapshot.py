"""A read-only snapshot of a store, ready to score: targets, graph, embeddings, resolvers.

No lock on the store is held after loading.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.mapped import MappedGraph
from data_engine.names.mentions import TitleFinder
from data_engine.names.titles import TitleResolver
from data_engine.ndcg import ndcg
from data_engine.responses.claims import ClaimChecker
from data_engine.responses.reading import read, without_tags
from data_engine.store.database import Store
from reward_server import scoring
from reward_server.errors import UnknownExamples
from reward_server.lookup import call_tool, look_up
from reward_server.segments import AnswerScore, judge_segments
from reward_server.targets import Target, read_targets
from reward_server.wire import Look, Looked, Response, Score, Weights

if TYPE_CHECKING:
    from reward_server.rechead.files import HeadFiles
    from reward_server.rechead.head import Head

FINDERS = 8192  # Examples whose title finder is kept
CONDITIONS = 4096  # conditions whose items are kept
COSINES = 65_536  # pairs of items whose cosine is kept
ANSWERS = 16_384  # scores of answers that are kept: the rollouts of a group often answer alike
CHARACTERS = 400  # longer answers are not kept, so that nobody fills the memory with them


class Snapshot:
    """Everything a score depends on."""

    def __init__(
        self,
        graph: MappedGraph,
        targets: dict[str, Target],
        embeddings: dict[str, np.ndarray],
        head: "HeadFiles | None" = None,
    ) -> None:
        self.digest, self.graph, self.targets = graph.digest, graph, targets
        self._embeddings, self._head_files = embeddings, head
        self.head: Head | None = None  # see start_head
        self._titles = dict(graph.titles())
        self._resolver, self._claims = TitleResolver(self._titles), ClaimChecker(graph)
        self._finder = lru_cache(FINDERS)(self._make_finder)
        self._cosine = lru_cache(COSINES)(self._exact_cosine)
        self._answer_score = lru_cache(ANSWERS)(self._score_answer)
        self._meeting = lru_cache(CONDITIONS)(graph.meeting)

    @classmethod
    def load(cls, path: Path | str, rechead: Path | None = None) -> "Snapshot":
        """Read a store, and the files of a RecHead's folder (see `start_head`).

        Raises DataError when there is neither an Example nor a head, or the head is another
        graph's.
        """
        with Store.open(path, read_only=True) as store:
            graph = MappedGraph(GraphArrays.of(store))
            targets = read_targets(store, graph)
            if not targets and rechead is None:
                raise DataError(
                    f"the store {path} holds no examples to score against: "
                    f"run `rerec synth --store {path}`"
                )
            head = _head_files(rechead, graph) if rechead else None
            return cls(graph, targets, store.embeddings(), head)

    def start_head(self) -> None:
        """Make the RecHead of the files that were read, if there are any.

        To be called in the process that will ask it: torch that has run once hangs in a fork.
        Raises DataError for weights that do not fit, or a sentence encoder that is missing.
        """
        if self._head_files is not None and self.head is None:
            self.head = self._head_files.head()

    def facts(self) -> dict[str, Any]:
        """status, graph_digest, examples (how many can be scored), head_digest (None: no head)."""
        head = self._head_files.digest if self._head_files else None
        return {
            "status": "ready",
            "graph_digest": self.digest,
            "examples": len(self.targets),
            "head_digest": head,
        }

    def look_up(self, call: Look) -> Looked:
        """The answer to what a policy asks the graph while it thinks (`reward_server.lookup`)."""
        return look_up(call, self.graph, self._resolver)

    def call_tool(self, call: Look) -> Looked:
        """The result of a look-up that a model asked for as a tool."""
        return call_tool(call, self.graph, self._resolver)

    def score(
        self, responses: Sequence[Response], weights: Weights, *, claims: bool = True
    ) -> list[Score]:
        """Scores in order. Raises UnknownExamples naming the ids, before anything is scored."""
        if unknown := {r.example_id for r in responses if r.example_id not in self.targets}:
            raise UnknownExamples(
                f"{len(unknown)} example ids are not in this store (first: {min(unknown)}): "
                "was it synthesised again?"
            )
        return [self.score_one(r, weights, claims) for r in responses]

    def score_one(self, response: Response, weights: Weights, check_claims: bool = True) -> Score:
        """Score one response to a known Example."""
        reading, target = read(response.response), self.targets[response.example_id]
        text = without_tags(response.response)
        short = sum(map(len, reading.titles)) <= CHARACTERS
        score_answer = self._answer_score if short else self._score_answer
        answer = score_answer(tuple(reading.titles), target, weights)
        known = answer.wrong <= target.near
        mentions = self._finder(target.near if known else target.near | answer.wrong).find(text)
        claims = self._claims.check(text, mentions, target.required) if check_claims else []
        return Score(
            response.example_id,
            "unresolved" if reading.status == "ok" and not answer.ranked else reading.status,
            answer.total,
            answer.parts.ndcg,
            answer.parts.qas,
            answer.parts.pas,
            answer.ranked,
            answer.duplicates,
            answer.unresolved,
            judge_segments(text, reading.spans, mentions, claims, answer),
        )

    def _score_answer(
        self, titles: tuple[str, ...], target: Target, weights: Weights
    ) -> AnswerScore:
        resolved = [self._resolver.resolve(title, target.near) for title in titles]
        named = [r.items[0] for r in resolved if r.status == "ok"]
        ranked = list(dict.fromkeys(named))
        right = self._right(target, weights)
        parts = self._parts(ranked, right, target, weights)
        total = scoring.combine(parts, weights) if ranked else 0.0
        return AnswerScore(
            ranked,
            duplicates=len(named) - len(ranked),
            unresolved=len(resolved) - len(named),
            wrong=frozenset(ranked) - right,
            parts=parts,
            total=total,
            penalised=scoring.penalised(total, weights),
        )

    def _parts(
        self, ranked: list[str], right: frozenset[str], target: Target, weights: Weights
    ) -> scoring.Parts:
        if weights.qas_over == "conditions":
            conditions = target.required.conditions if target.required else ()
            qas = scoring.condition_alignment(ranked, conditions, self.graph.verdict, weights.k)
        else:
            qas = scoring.query_alignment(ranked, target.gold, self.graph.edges, weights.k)
        pas = scoring.preference_alignment(ranked, target.gold, self._cosine, weights.k)
        return scoring.Parts(ndcg(ranked, right, weights.k), qas, pas)

    def _right(self, target: Target, weights: Weights) -> frozenset[str]:
        """The gold items, and those that meet all conditions where the weights say so."""
        if weights.right == "gold" or target.required is None:
            return target.gold
        meeting = map(self._meeting, target.required.conditions)
        return target.gold | (frozenset.intersection(*meeting) - target.named)

    def _exact_cosine(self, item: str, other: str) -> float | None:
        """In double precision; None where an embedding is absent or zero."""
        if item not in self._embeddings or other not in self._embeddings:
            return None
        a, b = (self._embeddings[i].astype(np.float64) for i in (item, other))
        length = np.sqrt((a @ a) * (b @ b))
        return float(a @ b / length) if length else None

    def _make_finder(self, items: frozenset[str]) -> TitleFinder:
        return TitleFinder({i: self._titles[i] for i in items if i in self._titles})


def _head_files(folder: Path, graph: MappedGraph) -> "HeadFiles":
    # Here, not above: torch takes seconds to import, and most servers hold no head.
    from reward_server.rechead.files import HeadFiles

    return HeadFiles.read(folder, graph.arrays)
