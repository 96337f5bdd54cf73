"""A trained RecHead on disk: a folder of head.json and weights, bound to a graph by its digest."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, deserialize
from safetensors.torch import load, save_file

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.names.sentences import sentence_encoder
from data_engine.runtime.atomic import draft, write
from reward_server.rechead.head import Head
from reward_server.rechead.model import HeadConfig, RecHead

FACTS, WEIGHTS = "head.json", "head.safetensors"


def save_head(
    folder: Path,
    model: RecHead,
    config: HeadConfig,
    encoder: str,
    graph_digest: str,
    **facts: Any,
) -> str:
    """Write a folder that `HeadFiles.read` reads; returns the head's digest.

    encoder: name of the sentence encoder. facts: kept in head.json beside the head's own.
    """
    with draft(folder / WEIGHTS) as part:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, part)
    digest = _digest((folder / WEIGHTS).read_bytes())
    own = {
        "config": config.model_dump(),
        "encoder": encoder,
        "graph_digest": graph_digest,
        "digest": digest,
    }
    write(folder / FACTS, json.dumps(facts | own, indent=1))
    return digest


def load_head(folder: Path, arrays: GraphArrays) -> Head:
    """A head that is ready to score. Raises as `HeadFiles.read` and `HeadFiles.head`."""
    return HeadFiles.read(folder, arrays).head()


@dataclass(frozen=True)
class HeadFiles:
    """The content of a head's folder, checked, but not yet touched by torch.

    It may be shared by processes that are forked: torch that has run once hangs in a fork.
    """

    config: HeadConfig
    digest: str
    encoder: str
    weights: bytes
    arrays: GraphArrays

    @classmethod
    def read(cls, folder: Path, arrays: GraphArrays) -> "HeadFiles":
        """Read a folder. Raises DataError where it holds no head, or one of another graph."""
        try:
            facts = json.loads((folder / FACTS).read_text())
            weights = (folder / WEIGHTS).read_bytes()
            deserialize(weights)  # type: ignore[no-untyped-call]
            config, digest = HeadConfig(**facts["config"]), _digest(weights)
            graph_digest, encoder = facts["graph_digest"], facts["encoder"]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise DataError(
                f"{folder} holds no RecHead ({type(error).__name__}): "
                "make one with `rerec train rechead`"
            ) from error
        if digest != facts.get("digest"):
            raise DataError(
                f"the weights in {folder} are not those that {FACTS} speaks of: "
                "train the head again"
            )
        if graph_digest != arrays.digest:
            raise DataError(
                f"the head in {folder} was trained on graph {graph_digest}, "
                f"the store holds {arrays.digest}: train it again on this store"
            )
        return cls(config, digest, encoder, weights, arrays)

    def head(self) -> Head:
        """A head that is ready to score.

        Raises DataError for weights that do not fit, or a sentence encoder that is missing.
        """
        try:
            weights = load(self.weights)
            texts = torch.ones_like(weights["texts"][1:])  # replaced by the stored ones
            model = RecHead(len(self.arrays.item_ids), self.config, texts)
            model.load_state_dict(weights)
        except (KeyError, RuntimeError) as error:
            raise DataError(
                f"the weights of head {self.digest} do not fit their config "
                f"({type(error).__name__}): train it again"
            ) from error
        encode = sentence_encoder(self.encoder)
        return Head(model, self.config, self.digest, self.arrays, encode)


def _digest(weights: bytes) -> str:
    return sha256(weights).hexdigest()[:16]
