"""`rerec train rechead`: one RecHead on disk.

It is tested with the thoughts of its users, with none and with those of other users.
"""

import json
from pathlib import Path
from typing import Any, TypedDict

import torch
from safetensors.torch import load_file

from data_engine.datasets.sequences import Next, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.names.sentences import sentence_encoder
from data_engine.runtime.provenance import provenance
from reward_server.rechead.files import WEIGHTS, save_head
from reward_server.rechead.model import RecHead
from train.sequential.config import SequentialConfig, TrainingConfig
from train.sequential.ranking import Scorer, ranks
from train.sequential.results import figures
from train.sequential.run import begin, test_queries
from train.sequential.scoring import EncoderScorer
from train.sequential.texts import Progress, TextVectors
from train.sequential.thought_vectors import ThoughtVectors
from train.sequential.training import fit, validation_queries

RESULT, CHECKPOINT = "rechead.json", "checkpoint.pt"
OWN, NONE, OTHERS = "their own", "nobody's", "somebody else's"  # whose thoughts, in the results


class HeadFigures(TypedDict):
    """H@K and NDCG@K on validation, and on test by whose thoughts the head reads."""

    validation: dict[str, float]
    test: dict[str, dict[str, float]]


def run_rechead(
    run: Path,
    evidence: Evidence,
    config: SequentialConfig,
    progress: Progress,
    frozen: Path | None = None,
    texts: TextVectors | None = None,
) -> HeadFigures:
    """Train a head, or take that of the folder `frozen`, and test it.

    texts: those of a caller that has them already.
    A server serves run/head/; run/rechead.json holds the result. Raises as `run_sequential`.
    """
    sequences, queries = test_queries(evidence, config.cut)
    sentence_encoder(config.words.encoder)  # is it there? Before anything is written
    facts = _facts(evidence, config, frozen)
    directory = begin(run, facts)
    if (run / RESULT).is_file():
        known: HeadFigures = json.loads((run / RESULT).read_text())["found"]
        return known
    training = config.training
    texts = texts or TextVectors(
        run / "words", evidence, sequences, config.words, training, progress
    )
    torch.manual_seed(training.seed)
    model = RecHead(len(sequences.items), training.encoder, texts.items)
    if frozen:
        model.load_state_dict(load_file(frozen / WEIGHTS))
    else:
        _train(run, model, texts, facts, progress)
    found = _tested(model, sequences, queries, texts.thoughts, config)
    record = {
        "found": found,
        "queries": len(queries),
        "ordered": sequences.ordered,
        "provenance": provenance(**facts),
    }
    directory.write_json(RESULT, record)
    (run / CHECKPOINT).unlink(missing_ok=True)
    return found


def _facts(evidence: Evidence, config: SequentialConfig, frozen: Path | None) -> dict[str, Any]:
    """The facts that decide the run."""
    return {
        "config": config.model_dump(mode="json"),
        "graph_digest": evidence.digest,
        "frozen": str(frozen or ""),
    }


def _train(
    run: Path, model: RecHead, texts: TextVectors, facts: dict[str, Any], progress: Progress
) -> None:
    """Train the head in place and write run/head/."""
    training: TrainingConfig = texts.training

    def on_epoch(epoch: int, value: float) -> None:
        progress(f"NDCG@10 {value:.4f}", epoch, training.epochs)

    fit(model, texts.sequences, training, on_epoch, run / CHECKPOINT, texts.thoughts)
    digest, encoder = texts.evidence.digest, texts.config.encoder
    made = provenance(**facts)
    save_head(run / "head", model, training.encoder, encoder, digest, provenance=made)


def _tested(
    model: RecHead,
    sequences: Sequences,
    queries: list[Next],
    thoughts: ThoughtVectors,
    config: SequentialConfig,
) -> HeadFigures:
    training = config.training

    def scorer(read: ThoughtVectors | None) -> Scorer:
        return EncoderScorer(model, training.encoder.length, read)

    validation = validation_queries(sequences, training)
    others = thoughts.shuffled(training.seed)
    return {
        "validation": _rounded(scorer(thoughts), validation, config.k),
        "test": {
            OWN: _rounded(scorer(thoughts), queries, config.k),
            NONE: _rounded(scorer(None), queries, config.k),
            OTHERS: _rounded(scorer(others), queries, config.k),
        },
    }


def _rounded(scorer: Scorer, queries: list[Next], k: int) -> dict[str, float]:
    found = figures(ranks(scorer, queries), k)
    return {name: round(value, 4) for name, value in found.items()}
