"""A read-only snapshot of a store, ready to score: targets, graph, embeddings, resolvers. No lock is held after loading."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.mapped import MappedGraph
from data_engine.graphs.memory import number
from data_engine.names.mentions import Mention, TitleFinder
from data_engine.names.titles import TitleResolver
from data_engine.ndcg import ndcg
from data_engine.store.database import Store
from reward_server import scoring
from reward_server.claims import Asked, ClaimChecker, Need
from reward_server.errors import UnknownExamples
from reward_server.lookup import look_up
from reward_server.segments import read, without_tags
from reward_server.wire import Claim, Look, Looked, Response, Score, Segment, Weights

if TYPE_CHECKING:
    from reward_server.rechead.files import HeadFiles
    from reward_server.rechead.head import Head

FINDERS = 8192  # Examples whose title finder is kept
HOLDERS = 4096  # conditions whose items are kept
COSINES = 65_536  # pairs of items whose cosine is kept
ANSWERS = 16_384  # answers whose worth is kept: the rollouts of a group often answer alike
CHARACTERS = 400  # longer answers are not kept, so that nobody fills the memory with them


@dataclass(frozen=True, eq=False)  # one object an Example: cached answers are found by identity
class Target:
    """What an Example is scored by: its gold items, the items near it (candidates, anchors, history), those of them that the query names, and
    what it asks for (None for an Example without conditions)."""

    gold: frozenset[str]
    near: frozenset[str]
    named: frozenset[str]
    asked: Asked | None


@dataclass(frozen=True)
class Worth:
    """What an answer is worth: the items recommended, best first, titles that name one of them again or none, those that are not right, the
    parts of the reward, their sum, and the reward of a segment that led to a wrong item."""

    ranked: list[str]
    duplicates: int
    unresolved: int
    wrong: frozenset[str]
    parts: scoring.Parts
    total: float
    penalised: float


class Snapshot:
    """Everything a score depends on."""

    def __init__(
        self,
        graph: MappedGraph,
        targets: dict[str, Target],
        embeddings: dict[str, np.ndarray],
        head: "HeadFiles | None" = None,
    ) -> None:
        self.digest, self.graph, self.targets, self._embeddings, self._head_files = (
            graph.digest,
            graph,
            targets,
            embeddings,
            head,
        )
        self.head: Head | None = None  # see start_head
        self._titles = dict(graph.titles())
        self._resolver, self._claims = TitleResolver(self._titles), ClaimChecker(graph)
        self._finder = lru_cache(FINDERS)(
            lambda items: TitleFinder(
                {item: self._titles[item] for item in items if item in self._titles}
            )
        )
        self._cosine = lru_cache(COSINES)(self._exact_cosine)
        self._worth = lru_cache(ANSWERS)(self._judge)
        self._holders = lru_cache(HOLDERS)(graph.holders)

    @classmethod
    def load(cls, path: Path | str, rechead: Path | None = None) -> "Snapshot":
        """Read a store, and the files of a RecHead's folder (see `start_head`). Raises DataError when there is neither an Example nor a head, or the
        head is another graph's."""
        with Store.open(path, read_only=True) as store:
            graph = MappedGraph(GraphArrays.of(store))
            need = lru_cache(None)(partial(_need, graph))
            ask = lru_cache(None)(
                lambda asked: Asked(
                    tuple(need(*one) for one in asked), frozenset(r for _, r, _ in asked)
                )
            )
            targets = {
                example: Target(*items, ask(asked) if asked else None)
                for example, *items, asked in store.targets()
            }
            if not targets and rechead is None:
                raise DataError(
                    f"the store {path} holds no examples to score against: run `rerec synth --store {path}`"
                )
            return cls(
                graph, targets, store.embeddings(), _head_files(rechead, graph) if rechead else None
            )

    def start_head(self) -> None:
        """Make the RecHead of the files that were read, if there are any, in the process that will ask it: torch that has run once hangs in a
        fork. Raises DataError for weights that do not fit, or a sentence encoder that is missing."""
        if self._head_files is not None and self.head is None:
            self.head = self._head_files.head()

    def facts(self) -> dict[str, object]:
        """What is served: the graph's digest, how many Examples can be scored, the RecHead's digest, None without one."""
        head = self._head_files.digest if self._head_files else None
        return {
            "status": "ready",
            "graph_digest": self.digest,
            "examples": len(self.targets),
            "head_digest": head,
        }

    def look_up(self, calls: Sequence[Look]) -> list[Looked]:
        """What a policy asks the graph while it thinks (`reward_server.lookup`)."""
        return look_up(calls, self.graph, self._resolver)

    def score(
        self, responses: Sequence[Response], weights: Weights, *, claims: bool = True
    ) -> list[Score]:
        """Scores in order. Raises UnknownExamples naming the ids, before anything is scored."""
        if strangers := {r.example_id for r in responses if r.example_id not in self.targets}:
            raise UnknownExamples(
                f"{len(strangers)} example ids are not in this store (first: {min(strangers)}): was it synthesised again?"
            )
        return [self.score_one(r, weights, claims) for r in responses]

    def score_one(self, response: Response, weights: Weights, check_claims: bool = True) -> Score:
        """Score one response to a known Example."""
        reading, target = read(response.response), self.targets[response.example_id]
        text = without_tags(response.response)
        judge = self._worth if sum(map(len, reading.titles)) <= CHARACTERS else self._judge
        worth = judge(tuple(reading.titles), target, weights)
        mentions = self._finder(
            target.near if worth.wrong <= target.near else target.near | worth.wrong
        ).find(text)
        claims = self._claims.check(text, mentions, target.asked) if check_claims else []
        return Score(
            response.example_id,
            "unresolved" if reading.status == "ok" and not worth.ranked else reading.status,
            worth.total,
            worth.parts.ndcg,
            worth.parts.qas,
            worth.parts.pas,
            worth.ranked,
            worth.duplicates,
            worth.unresolved,
            _segments(text, reading.spans, mentions, claims, worth),
        )

    def _judge(self, titles: tuple[str, ...], target: Target, weights: Weights) -> Worth:
        resolved = [self._resolver.resolve(title, target.near) for title in titles]
        named = [r.items[0] for r in resolved if r.status == "ok"]
        ranked = list(dict.fromkeys(named))
        parts = self._parts(ranked, target, weights)
        total = scoring.combine(parts, weights) if ranked else 0.0
        wrong = frozenset(ranked) - self._right(target, weights)
        return Worth(
            ranked,
            len(named) - len(ranked),
            len(resolved) - len(named),
            wrong,
            parts,
            total,
            scoring.penalised(total, weights),
        )

    def _exact_cosine(self, item: str, other: str) -> float | None:
        """In double precision; None where an embedding is absent or zero."""
        if item not in self._embeddings or other not in self._embeddings:
            return None
        a, b = (self._embeddings[i].astype(np.float64) for i in (item, other))
        length = np.sqrt((a @ a) * (b @ b))
        return float(a @ b / length) if length else None

    def _parts(self, ranked: list[str], target: Target, weights: Weights) -> scoring.Parts:
        if weights.qas_over == "conditions":
            qas = scoring.condition_alignment(
                ranked, target.asked.needs if target.asked else (), self._claims.meets, weights.k
            )
        else:
            qas = scoring.query_alignment(ranked, target.gold, self.graph.edges, weights.k)
        pas = scoring.preference_alignment(ranked, target.gold, self._cosine, weights.k)
        return scoring.Parts(ndcg(ranked, self._right(target, weights), weights.k), qas, pas)

    def _right(self, target: Target, weights: Weights) -> frozenset[str]:
        if weights.right == "gold" or target.asked is None:
            return target.gold
        meeting = (
            self._holders(need.relation, need.codes, need.holds) for need in target.asked.needs
        )
        return target.gold | (frozenset.intersection(*meeting) - target.named)


def _head_files(folder: Path, graph: MappedGraph) -> "HeadFiles":
    from reward_server.rechead.files import (
        HeadFiles,  # torch takes seconds to import, and most servers hold no head
    )

    return HeadFiles.read(folder, graph.arrays)


def _need(graph: MappedGraph, op: str, relation: str, value: str) -> Need:
    """A condition over edge codes: of the value, or of all numbers on the wrong side of a bound."""
    if op in ("below", "above"):
        limit = float(value)
        wrong = graph.codes_where(
            relation,
            lambda name: (
                (n := number(name)) is None or (n >= limit if op == "below" else n <= limit)
            ),
        )
        return Need(graph.number(relation), wrong, False)
    code = graph.code(relation, value)
    return Need(
        graph.number(relation), frozenset() if code is None else frozenset((code,)), op == "is"
    )


def _segments(
    text: str,
    spans: list[tuple[int, int]],
    mentions: list[Mention],
    claims: list[Claim],
    worth: Worth,
) -> list[Segment]:
    """Each span with what is named and stated in it. A recommendation is a claim too: an answer that names no wrong item is ok."""
    found, m, c, wrong, total = [], 0, 0, worth.wrong, worth.total
    naming = (
        mentions[0][1] if mentions else len(text)
    )  # where the next mention starts, and the next claim
    stating = claims[0].start if claims else len(text)
    for start, end in spans:
        if end <= naming and end <= stating:  # prose
            found.append(Segment(start, end, [], "unknown", total, []))
            continue
        items, first = [], c
        while naming < end:
            if (item := mentions[m][0]) not in items:
                items.append(item)
            m += 1
            naming = mentions[m][1] if m < len(mentions) else len(text)
        while stating < end:
            c += 1
            stating = claims[c].start if c < len(claims) else len(text)
        inside = claims[first:c]
        verdicts = [claim.verdict for claim in inside]
        if wrong and not wrong.isdisjoint(items):
            found.append(Segment(start, end, items, "wrong_item", worth.penalised, inside))
        elif "contradicted" in verdicts:
            found.append(Segment(start, end, items, "contradicted", total, inside))
        elif "supported" in verdicts or (items and text.startswith("<answer>", start)):
            found.append(Segment(start, end, items, "ok", total, inside))
        else:
            found.append(Segment(start, end, items, "unknown", total, inside))
    return found
