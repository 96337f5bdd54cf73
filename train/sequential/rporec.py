"""`rerec train rporec`: RPORec's two stages in turns (arXiv 2605.21967).

A policy thinks and a RecHead learns from its thoughts; then the head is frozen and the policy
learns to think so that the head ranks better.

run/sft/ is the first policy, run/K/rft that of round K, run/K/head the head that learned from it.
Each pair is judged on validation; the best is named in rporec.json and drawn in report.html. Every
part that is done is kept: the same command goes on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from data_engine.datasets.sequences import Sequences
from data_engine.graphs.evidence import Evidence
from data_engine.names.sentences import sentence_encoder
from data_engine.runtime.provenance import provenance
from data_engine.runtime.run_directory import RunDirectory
from train.reports.rounds_report import write_rounds_report
from train.rft.compose import RFTConfig, compose
from train.sequential.rechead import HeadFigures, run_rechead
from train.sequential.run import test_queries
from train.sequential.stages import Progress, RPORecConfig, first_policy, improve
from train.sequential.texts import TextVectors


class Round(HeadFigures):
    """A pair of policy and head; the head is "frozen", from the round before, or "trained"."""

    round: int
    head: str
    policy: str


class Rounds(TypedDict):
    """The content of rporec.json; `best` is the best round by validation."""

    rounds: list[Round]
    best: Round
    provenance: dict[str, object]


def run_rporec(
    run: Path, store: Path, evidence: Evidence, config: RPORecConfig, progress: Progress
) -> Rounds:
    """Run the rounds and write rporec.json and report.html.

    Raises as `run_rechead`, TrainError when the training of a round fails, RunInUse while another
    process is at work in the directory.
    """
    directory = RunDirectory(run)
    with directory.held():
        rounds = list(_rounds(run, store, evidence, config, progress))
        facts = provenance(config=config.model_dump(mode="json"), graph_digest=evidence.digest)
        figure = f"NDCG@{config.next.k}"
        best = max(rounds, key=lambda one: one["validation"][figure])
        found: Rounds = {"rounds": rounds, "best": best, "provenance": facts}
        directory.write_json("rporec.json", found)
        write_rounds_report(run)
    return found


def _rounds(
    run: Path, store: Path, evidence: Evidence, config: RPORecConfig, progress: Progress
) -> Iterator[Round]:
    """Every pair of policy and head: round 0 has the first policy and a head of its own."""
    sequences, _ = test_queries(evidence, config.next.cut)
    sentence_encoder(config.next.words.encoder)  # is it there? The first policy takes minutes
    _check_recipe(run, evidence, config)
    policy = config.model or first_policy(run / "sft", evidence, config, progress)
    yield from _pairs(0, run, policy, evidence, sequences, config, progress)
    for number in range(1, config.rounds + 1):
        policy = improve(run / f"{number}/rft", store, policy, _head(run, number - 1), config)
        yield from _pairs(number, run, policy, evidence, sequences, config, progress)


def _check_recipe(run: Path, evidence: Evidence, config: RPORecConfig) -> None:
    """Find a recipe that is at odds with itself before the first policy is taught."""
    stage = RFTConfig(
        recipe=config.recipe,
        run=run / "1/rft",
        model=str(run),
        server="http://127.0.0.1",
        overrides=config.changes,
    )
    compose(stage, evidence.digest)


def _head(run: Path, number: int) -> Path:
    """The folder of the head that learned from the policy of a round."""
    return run / f"{number}/head/head"


def _pairs(
    number: int,
    run: Path,
    policy: Path,
    evidence: Evidence,
    sequences: Sequences,
    config: RPORecConfig,
    progress: Progress,
) -> Iterator[Round]:
    """A policy with the head of the round before, but in round 0, and with a head of its own."""
    source = config.next.words.model_copy(update={"policy": policy.resolve()})
    settings = config.next.model_copy(update={"words": source})

    def on_progress(what: str, done: int, total: int) -> None:
        progress(f"round {number}: {what}", done, total)

    texts = TextVectors(run / "words", evidence, sequences, source, settings.training, on_progress)
    folder = run / str(number)
    if number:  # what stage 2 changed, before the head has learned from it
        before = _head(run, number - 1)
        found = run_rechead(folder / "frozen", evidence, settings, on_progress, before, texts)
        yield {"round": number, "head": "frozen", "policy": str(policy), **found}
    found = run_rechead(folder / "head", evidence, settings, on_progress, texts=texts)
    yield {"round": number, "head": "trained", "policy": str(policy), **found}
