"""Methods × seeds of next-item recommendation on disk: run/METHOD-SEED.json each, once made never made again; results.json sums them up."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import Field

from data_engine.datasets.sequences import TEST, Cut, Next, Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.names.sentences import sentence_encoder
from data_engine.ndcg import mean_ndcg
from data_engine.runtime.config import Config
from data_engine.runtime.provenance import provenance, write_json
from data_engine.runtime.run_directory import RunDirectory
from reward_server.rechead.model import RecHead
from train.errors import TrainError
from train.evaluation.comparison import adjust, interval, paired
from train.sequential.encoders import ENCODERS
from train.sequential.floors import lightgcn_mean, popularity
from train.sequential.ranking import Scorer, hits, ranks
from train.sequential.training import TrainingConfig, fit
from train.sequential.words import Words, WordsConfig

HEADS = (
    "rechead",
    "rechead-answer",
    "rechead-cot",
)  # items' texts alone; with answers; with answers and chains of thought
METHODS = ("popularity", "lightgcn-mean", *ENCODERS, *HEADS)
Tell = Callable[[str, int, int], None]  # hears (what is done, how many, of how many at most)


class SequentialConfig(Config):
    """What is compared; the seed of `training` is each of `seeds` in turn."""

    methods: tuple[str, ...] = METHODS
    seeds: tuple[int, ...] = (0, 1, 2)
    cut: Cut = "time"
    k: int = Field(10, ge=1)
    training: TrainingConfig = TrainingConfig()
    words: WordsConfig = WordsConfig()


def run_sequential(
    run: Path, evidence: Evidence, config: SequentialConfig, tell: Tell
) -> dict[str, object]:
    """Fit and test every method with every seed; returns what results.json holds: by method and figure the mean over seeds with its 95 %
    t-interval, and the paired differences from the first method, p adjusted over all of them.

    Raises TrainError for an unknown method, DataError for a cut the data cannot carry or an encoder that is not there, ConfigChanged for a
    directory of another comparison.
    """
    if unknown := [name for name in config.methods if name not in METHODS]:
        raise TrainError(f"no method {unknown[0]!r}: choose from {', '.join(METHODS)}")
    sequences, asked = test_queries(evidence, config.cut)
    if set(HEADS) & set(config.methods):
        sentence_encoder(config.words.encoder)  # is it there? Before anything is written
    facts = {
        "config": config.model_dump(mode="json", exclude={"methods", "seeds"}),
        "graph_digest": evidence.digest,
    }
    begin(run, facts)
    words = Words(run / "words", evidence, sequences, config.words, config.training, tell)
    for seed in config.seeds:
        for name in config.methods:
            kept = run / f"{name}-{seed}.json"
            if not kept.is_file():
                places = ranks(_scorer(name, seed, run, words, evidence, config, tell), asked)
                write_json(
                    kept,
                    {
                        f"H@{config.k}": hits(places, config.k),
                        f"NDCG@{config.k}": mean_ndcg(places, config.k),
                    },
                )
                (run / f"{name}-{seed}.pt").unlink(missing_ok=True)
    table = _table(run, config)
    found = {
        "table": table,
        "queries": len(asked),
        "ordered": sequences.ordered,
        "provenance": provenance(**facts),
    }
    write_json(run / "results.json", found)
    return found


def _scorer(
    name: str,
    seed: int,
    run: Path,
    words: Words,
    evidence: Evidence,
    config: SequentialConfig,
    tell: Tell,
) -> Scorer:
    sequences, training = words.sequences, config.training.model_copy(update={"seed": seed})
    if name == "popularity":
        return popularity(sequences)
    if name == "lightgcn-mean":
        return lightgcn_mean(sequences, evidence.interactions, seed)
    torch.manual_seed(seed)
    if name in ENCODERS:
        model, said = ENCODERS[name](len(sequences.items), training.encoder), None
    else:
        model = RecHead(len(sequences.items), training.encoder, words.items)
        said = {
            "rechead": lambda: None,
            "rechead-answer": lambda: words.said.only_answers(),
            "rechead-cot": lambda: words.said,
        }[name]()
    told = lambda epoch, value: tell(f"{name} {seed} NDCG@10 {value:.4f}", epoch, training.epochs)  # noqa: E731
    return fit(model, sequences, training, told, run / f"{name}-{seed}.pt", said)


def test_queries(evidence: Evidence, cut: Cut) -> tuple[Sequences, list[Next]]:
    """The sequences and what is asked at the end. Raises TrainError where that is nothing."""
    sequences = Sequences.of(evidence.interactions, cut)
    asked = list(sequences.nexts(TEST))
    if not asked or not sequences.train():
        raise TrainError(
            "nobody has a history to learn from and something after it to be tested on: import more interactions"
        )
    return sequences, asked


def begin(run: Path, facts: dict[str, object]) -> None:
    """Remember what the directory is for. Raises ConfigChanged where it is for something else."""
    directory = RunDirectory(run, "sequential.json")
    directory.check(facts)
    directory.write_json("sequential.json", facts)


def _table(run: Path, config: SequentialConfig) -> dict[str, dict[str, dict]]:
    cells = {
        name: {seed: json.loads((run / f"{name}-{seed}.json").read_text()) for seed in config.seeds}
        for name in config.methods
    }
    table: dict[str, dict[str, dict]] = {}
    for name, by in cells.items():
        for figure in (f"H@{config.k}", f"NDCG@{config.k}"):
            entry = interval([found[figure] for found in by.values()])
            if name != config.methods[0]:
                first = {seed: found[figure] for seed, found in cells[config.methods[0]].items()}
                entry["against"] = paired(
                    {seed: found[figure] for seed, found in by.items()}, first
                )
            table.setdefault(name, {})[figure] = entry
    adjust(
        [entry["against"] for by in table.values() for entry in by.values() if "against" in entry]
    )
    return table
