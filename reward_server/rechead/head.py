"""A trained RecHead as the server holds it: a folder of head.json and weights, bound by digest to the graph it was trained on.

What a response is worth to it (RPORec, arXiv 2605.21967, stage 2): NDCG@K of the true next item, given what was thought and answered; how
close thought and answer are; how little the thought repeats itself. Each part apart: the weights are the trainer's.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from msgspec import UNSET
from safetensors import SafetensorError, deserialize
from safetensors.torch import load, save_file

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.names.sentences import Encode, sentence_encoder
from data_engine.ndcg import ndcg_of_rank
from data_engine.responses.reading import split_answer
from data_engine.runtime.atomic import draft, write
from reward_server.errors import Refused
from reward_server.rechead.model import PAD, HeadConfig, RecHead
from reward_server.wire import HeadAsk, HeadScore

MOST_NAMED = 100
FACTS, WEIGHTS = "head.json", "head.safetensors"


def save_head(
    folder: Path,
    model: RecHead,
    config: HeadConfig,
    encoder: str,
    graph_digest: str,
    **facts: object,
) -> str:
    """Write a folder that `Head.load` reads; returns the head's digest. `facts` are kept beside it."""
    with draft(folder / WEIGHTS) as part:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, part)
    digest = _digest((folder / WEIGHTS).read_bytes())
    known = {
        "config": config.model_dump(),
        "encoder": encoder,
        "graph_digest": graph_digest,
        "digest": digest,
    }
    write(folder / FACTS, json.dumps(facts | known, indent=1))
    return digest


@dataclass(frozen=True)
class HeadFiles:
    """What a head's folder holds, read and checked, but not yet touched by torch: to be shared by processes that are forked."""

    config: HeadConfig
    digest: str
    encoder: str
    weights: bytes
    arrays: GraphArrays

    @classmethod
    def read(cls, folder: Path, arrays: GraphArrays) -> "HeadFiles":
        """Raises DataError for a folder that holds no head, or another graph's."""
        try:
            facts, weights = (
                json.loads((folder / FACTS).read_text()),
                (folder / WEIGHTS).read_bytes(),
            )
            deserialize(weights)
            config, digest = HeadConfig(**facts["config"]), _digest(weights)
            of, encoder = facts["graph_digest"], facts["encoder"]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise DataError(
                f"{folder} holds no RecHead ({type(error).__name__}): make one with `rerec train rechead`"
            ) from error
        if digest != facts.get("digest"):
            raise DataError(
                f"the weights in {folder} are not those that {FACTS} speaks of: train the head again"
            )
        if of != arrays.digest:
            raise DataError(
                f"the head in {folder} was trained on graph {of}, the store holds {arrays.digest}: train it again on this store"
            )
        return cls(config, digest, encoder, weights, arrays)

    def head(self) -> "Head":
        """Ready to be asked. Raises DataError for weights that do not fit, or a sentence encoder that is missing."""
        try:
            weights = load(self.weights)
            model = RecHead(
                len(self.arrays.item_ids), self.config, torch.ones_like(weights["texts"][1:])
            )
            model.load_state_dict(weights)
        except (KeyError, RuntimeError) as error:
            raise DataError(
                f"the weights of head {self.digest} do not fit their config ({type(error).__name__}): train it again"
            ) from error
        return Head(model, self.config, self.digest, self.arrays, sentence_encoder(self.encoder))


class Head:
    """Read only; asked by one thread at a time."""

    def __init__(
        self, model: RecHead, config: HeadConfig, digest: str, arrays: GraphArrays, encode: Encode
    ) -> None:
        self.model, self.config, self.digest, self.arrays, self._encode = (
            model.eval(),
            config,
            digest,
            arrays,
            encode,
        )
        with torch.no_grad():
            self._table = model.table()[1:].T.contiguous()

    @classmethod
    def load(cls, folder: Path, arrays: GraphArrays) -> "Head":
        """Read a head. Raises what `HeadFiles` does."""
        return HeadFiles.read(folder, arrays).head()

    @torch.no_grad()
    def score(self, asks: Sequence[HeadAsk], k: int) -> list[HeadScore]:
        """In order. Raises Refused (404) for a query or an item that the store does not know, (422) for an empty history."""
        moments = [self._moment(ask) for ask in asks]
        read = [
            torch.from_numpy(history[-self.config.length :].astype(np.int64) + 1)
            for history, _ in moments
        ]
        last = torch.tensor([len(h) - 1 for h in read])
        said = [split_answer(ask.response) for ask in asks]
        vectors = self._vectors(
            [text for thought, answer, _ in said for text in (answer, thought)]
        ).view(len(asks), 2, -1)
        states = self.model(
            torch.nn.utils.rnn.pad_sequence(read, batch_first=True, padding_value=PAD)
        )[torch.arange(len(read)), last]
        table = (self.model.heed(states, vectors) @ self._table).numpy()
        closeness = (vectors[:, 0] * vectors[:, 1]).sum(1).tolist()
        return [
            self._scored(row, history, target, thought, answer, status, close, k)
            for row, (history, target), (thought, answer, status), close in zip(
                table, moments, said, closeness, strict=True
            )
        ]

    def _scored(
        self,
        row: np.ndarray,
        history: np.ndarray,
        target: int | None,
        thought: str,
        answer: str,
        status: str,
        close: float,
        k: int,
    ) -> HeadScore:
        """One row of the table, ranked without what the user has had."""
        own = row[target] if target is not None else 0.0
        row[history] = -np.inf
        place = None
        if target is not None:
            place = 1 + int((row > own).sum())
            row[target] = own
        named = min(k, MOST_NAMED)
        best = np.argpartition(-row, min(named, len(row) - 1))[:named]
        ranked = [
            self.arrays.item_ids[int(item)]
            for item in best[np.argsort(-row[best], kind="stable")]
            if row[item] > -np.inf
        ]
        gain = None if place is None else (ndcg_of_rank(place, k) if status == "ok" else 0.0)
        heard = status == "ok" and bool(thought)
        return HeadScore(
            status,
            gain,
            place,
            close if heard else None,
            compression(thought) if heard else None,
            ranked,
        )

    def _moment(self, ask: HeadAsk) -> tuple[np.ndarray, int | None]:
        """(history as item numbers, the true next item where the server knows it)."""
        if (ask.query_id is UNSET) is (ask.history is UNSET):
            raise Refused(422, "give each response a query_id or a history, one of them")
        if ask.query_id is UNSET:
            history = [self.arrays.item_ids.find(item) for item in ask.history]
            if None in history:
                raise Refused(
                    404, f"item {ask.history[history.index(None)][:100]!r} is not in this store"
                )
            target = None
        else:
            user, _, length = ask.query_id.rpartition(":")
            place = self.arrays.user_ids.find(user)
            if place is None or not (length.isascii() and length.isdigit()):
                raise Refused(
                    404,
                    f"query {ask.query_id!r} is not in this store: a query is USER:ITEMS_BEFORE",
                )
            row = self.arrays.item[
                self.arrays.like_start[place] : self.arrays.like_start[place + 1]
            ]
            if int(length) >= len(row):
                raise Refused(
                    404, f"user {user} has {len(row)} items: nothing comes after the first {length}"
                )
            history, target = row[: int(length)], int(row[int(length)])
        if not len(history):
            raise Refused(422, "an empty history: RecHead needs at least one item")
        return np.asarray(history), target

    def _vectors(self, texts: list[str]) -> torch.Tensor:
        """(texts, width), zero for an empty one; the same text is read once."""
        width, distinct = (
            self.model.texts.shape[1],
            sorted({text for text in texts if text}, key=len),
        )
        found = torch.zeros(len(distinct) + 1, width)
        if distinct:
            found[:-1] = torch.from_numpy(np.asarray(self._encode(distinct), np.float32))
        place = {text: k for k, text in enumerate(distinct)}
        return found[[place.get(text, len(distinct)) for text in texts]]


def compression(text: str) -> float:
    """Compressed bytes over bytes, 0..1: what repeats itself compresses well."""
    raw = text.encode("utf-8", "replace")
    return min(1.0, len(zlib.compress(raw, 9)) / len(raw)) if raw else 0.0


def _digest(weights: bytes) -> str:
    return sha256(weights).hexdigest()[:16]
