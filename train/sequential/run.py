"""Methods × seeds of next-item recommendation on disk.

run/METHOD-SEED.json each, once made never made again; results.json sums them up.
"""

from pathlib import Path
from typing import Any, TypedDict

import torch

from data_engine.datasets.sequences import TEST, Cut, Next, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.names.sentences import sentence_encoder
from data_engine.runtime.provenance import provenance
from data_engine.runtime.run_directory import RunDirectory
from reward_server.rechead.model import RecHead
from train.errors import TrainError
from train.sequential.baselines import lightgcn_mean, popularity
from train.sequential.config import HEADS, METHODS, SequentialConfig
from train.sequential.encoders import ENCODERS, Encoder
from train.sequential.ranking import Scorer, ranks
from train.sequential.results import Table, figures, summarise
from train.sequential.texts import Progress, TextVectors
from train.sequential.thought_vectors import ThoughtVectors
from train.sequential.training import fit

RECORD = "sequential.json"


class Results(TypedDict):
    """The content of results.json.

    queries: how many were tested; ordered: whether the interactions have times.
    """

    table: Table
    queries: int
    ordered: bool
    provenance: dict[str, object]


def run_sequential(
    run: Path, evidence: Evidence, config: SequentialConfig, progress: Progress
) -> Results:
    """Train and test every method with every seed.

    Returns by method and figure the mean over seeds with its 95 % t-interval, and the paired
    differences from the first method, p adjusted over all of them.
    Raises TrainError for an unknown method, DataError for a cut the data cannot carry or an encoder
    that is not there, ConfigChanged for a directory of another comparison.
    """
    if unknown := [name for name in config.methods if name not in METHODS]:
        raise TrainError(f"no method {unknown[0]!r}: choose from {', '.join(METHODS)}")
    sequences, queries = test_queries(evidence, config.cut)
    if set(HEADS) & set(config.methods):
        sentence_encoder(config.words.encoder)  # is it there? Before anything is written
    facts = {
        "config": config.model_dump(mode="json", exclude={"methods", "seeds"}),
        "graph_digest": evidence.digest,
    }
    directory = begin(run, facts)
    texts = TextVectors(run / "words", evidence, sequences, config.words, config.training, progress)
    for seed in config.seeds:
        for name in config.methods:
            if not (run / f"{name}-{seed}.json").is_file():
                places = ranks(_scorer(name, seed, directory, texts, config), queries)
                directory.write_json(f"{name}-{seed}.json", figures(places, config.k))
                _checkpoint(run, name, seed).unlink(missing_ok=True)
    found: Results = {
        "table": summarise(run, config),
        "queries": len(queries),
        "ordered": sequences.ordered,
        "provenance": provenance(**facts),
    }
    directory.write_json("results.json", found)
    return found


def test_queries(evidence: Evidence, cut: Cut) -> tuple[Sequences, list[Next]]:
    """The sequences and the test queries. Raises TrainError where there are none."""
    sequences = Sequences.of(evidence.interactions, cut)
    queries = list(sequences.nexts(TEST))
    if not queries or not sequences.train():
        raise TrainError(
            "nobody has a history to learn from and something after it to be tested on: "
            "import more interactions"
        )
    return sequences, queries


def begin(run: Path, facts: dict[str, Any]) -> RunDirectory:
    """The directory, with a record of what it is for.

    Raises ConfigChanged where it is for something else.
    """
    directory = RunDirectory(run, RECORD)
    directory.check(facts)
    directory.write_json(RECORD, facts)
    return directory


def _checkpoint(run: Path, name: str, seed: int) -> Path:
    return run / f"{name}-{seed}.pt"


def _scorer(
    name: str, seed: int, directory: RunDirectory, texts: TextVectors, config: SequentialConfig
) -> Scorer:
    """A method, trained where it learns."""
    sequences, training = texts.sequences, config.training.model_copy(update={"seed": seed})
    if name == "popularity":
        return popularity(sequences)
    if name == "lightgcn-mean":
        return lightgcn_mean(sequences, texts.evidence.interactions, seed)
    torch.manual_seed(seed)
    thoughts: ThoughtVectors | None = None
    if name in ENCODERS:
        model: Encoder = ENCODERS[name](len(sequences.items), training.encoder)
    else:
        model = RecHead(len(sequences.items), training.encoder, texts.items)
        thoughts = _thoughts(name, texts)

    def on_epoch(epoch: int, value: float) -> None:
        texts.progress(f"{name} {seed} NDCG@10 {value:.4f}", epoch, training.epochs)

    checkpoint = _checkpoint(directory.path, name, seed)
    return fit(model, sequences, training, on_epoch, checkpoint, thoughts)


def _thoughts(name: str, texts: TextVectors) -> ThoughtVectors | None:
    """What a method of HEADS reads beside the history."""
    if name == "rechead":
        return None
    return texts.thoughts.only_answers() if name == "rechead-answer" else texts.thoughts
