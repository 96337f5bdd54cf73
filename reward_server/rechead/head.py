"""A trained RecHead that scores responses about the next item (RPORec, arXiv 2605.21967, stage 2).

A response is worth NDCG@k of the true next item, given its thought and its answer; the similarity
of thought and answer; the little that the thought repeats itself. Each part is given apart: the
weights are the trainer's.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from msgspec import UNSET

from data_engine.graphs.arrays import GraphArrays
from data_engine.names.sentences import Encode
from data_engine.ndcg import ndcg_of_rank
from data_engine.responses.reading import split_answer
from reward_server.errors import Refused
from reward_server.rechead.model import PAD, HeadConfig, RecHead
from reward_server.wire import HeadAsk, HeadScore, Status

MOST_NAMED = 100  # items recommended in a score
IntArray = npt.NDArray[Any]


@dataclass(frozen=True)
class ReadResponse:
    """A response's parts: thought and answer, "" where there is none."""

    thought: str
    answer: str
    status: Status

    @property
    def complete(self) -> bool:
        """Whether there is a readable answer and a thought before it."""
        return self.status == "ok" and bool(self.thought)


class Head:
    """Scores by a model that is only read. Not safe for several threads at a time."""

    def __init__(
        self, model: RecHead, config: HeadConfig, digest: str, arrays: GraphArrays, encode: Encode
    ) -> None:
        self.model, self.config, self.digest = model.eval(), config, digest
        self.arrays, self._encode = arrays, encode
        with torch.no_grad():
            self._table = model.table()[1:].T.contiguous()  # (dims, items)

    @torch.no_grad()
    def score(self, asks: Sequence[HeadAsk], k: int) -> list[HeadScore]:
        """Scores in order, with NDCG@k.

        Raises Refused (404) for a query or an item that the store does not know, (422) for an
        empty history.
        """
        moments = [self._moment(ask) for ask in asks]
        responses = [ReadResponse(*split_answer(ask.response)) for ask in asks]
        texts: list[str] = []
        for response in responses:
            texts += [response.answer, response.thought]
        vectors = self._vectors(texts).view(len(asks), 2, -1)
        states = self._states([history for history, _ in moments])
        table = (self.model.fuse_texts(states, vectors) @ self._table).numpy()
        consistency = (vectors[:, 0] * vectors[:, 1]).sum(1).tolist()
        scores = []
        for row, (history, target), response, cosine in zip(
            table, moments, responses, consistency, strict=True
        ):
            rank, recommended = self._rank(row, history, target, k)
            scores.append(_score(response, rank, recommended, cosine, k))
        return scores

    def _states(self, histories: Sequence[IntArray]) -> torch.Tensor:
        """(histories, dims): the state after the last item of each."""
        recent = [history[-self.config.length :].astype(np.int64) + 1 for history in histories]
        padded = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(numbers) for numbers in recent], batch_first=True, padding_value=PAD
        )
        last = torch.tensor([len(numbers) - 1 for numbers in recent])
        states: torch.Tensor = self.model(padded)[torch.arange(len(recent)), last]
        return states

    def _rank(
        self, scores: npt.NDArray[np.float32], history: IntArray, target: int | None, k: int
    ) -> tuple[int | None, list[str]]:
        """(rank of the target, from 1; the ids of the first k items, best first).

        scores: (items,), written to. Items of the history are left out, but for the target.
        """
        own = scores[target] if target is not None else 0.0
        scores[history] = -np.inf
        rank = None
        if target is not None:
            rank = 1 + int((scores > own).sum())
            scores[target] = own
        count = min(k, MOST_NAMED)
        best = np.argpartition(-scores, min(count, len(scores) - 1))[:count]
        ranked = best[np.argsort(-scores[best], kind="stable")]
        named = [int(item) for item in ranked if scores[item] > -np.inf]
        return rank, [self.arrays.item_ids[item] for item in named]

    def _moment(self, ask: HeadAsk) -> tuple[IntArray, int | None]:
        """(the history as item indices, the next item where the server knows it)."""
        if ask.query_id is not UNSET and ask.history is UNSET:
            history, target = self._stored_moment(ask.query_id)
        elif ask.history is not UNSET and ask.query_id is UNSET:
            history, target = self._indices(ask.history), None
        else:
            raise Refused(422, "give each response a query_id or a history, one of them")
        if not len(history):
            raise Refused(422, "an empty history: RecHead needs at least one item")
        return history, target

    def _indices(self, items: list[str]) -> IntArray:
        found = []
        for item in items:
            index = self.arrays.item_ids.find(item)
            if index is None:
                raise Refused(404, f"item {item[:100]!r} is not in this store")
            found.append(index)
        return np.asarray(found)

    def _stored_moment(self, query_id: str) -> tuple[IntArray, int]:
        user, _, length = query_id.rpartition(":")
        place = self.arrays.user_ids.find(user)
        if place is None or not (length.isascii() and length.isdigit()):
            raise Refused(
                404, f"query {query_id!r} is not in this store: a query is USER:ITEMS_BEFORE"
            )
        start, end = self.arrays.like_start[place : place + 2]
        row = self.arrays.item[start:end]
        if int(length) >= len(row):
            raise Refused(
                404, f"user {user} has {len(row)} items: nothing comes after the first {length}"
            )
        return np.asarray(row[: int(length)]), int(row[int(length)])

    def _vectors(self, texts: list[str]) -> torch.Tensor:
        """(texts, width) sentence vectors, zero for an empty text. Equal texts are encoded once."""
        distinct = sorted({text for text in texts if text}, key=len)
        vectors = torch.zeros(len(distinct) + 1, self.model.texts.shape[1])
        if distinct:
            vectors[:-1] = torch.from_numpy(np.asarray(self._encode(distinct), np.float32))
        row = {text: k for k, text in enumerate(distinct)}
        return vectors[[row.get(text, len(distinct)) for text in texts]]


def _score(
    response: ReadResponse, rank: int | None, recommended: list[str], cosine: float, k: int
) -> HeadScore:
    ndcg = None
    if rank is not None:
        ndcg = ndcg_of_rank(rank, k) if response.status == "ok" else 0.0
    return HeadScore(
        response.status,
        ndcg,
        rank,
        cosine if response.complete else None,
        compression(response.thought) if response.complete else None,
        recommended,
    )


def compression(text: str) -> float:
    """Compressed bytes over bytes, 0..1: a text that repeats itself compresses well."""
    raw = text.encode("utf-8", "replace")
    return min(1.0, len(zlib.compress(raw, 9)) / len(raw)) if raw else 0.0
