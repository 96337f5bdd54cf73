"""`rerec train rporec`: RPORec's two stages in turns (arXiv 2605.21967). A policy thinks, a RecHead learns from its words; then the head is frozen
and the policy learns to think so that the head ranks better.

run/sft/ is the policy that begins, run/K/rft the policy of round K, run/K/head the head that learned from it (0: from the beginner). Each pair is
judged on validation; the best is named in rporec.json and drawn in report.html. Every part that is done is kept: the same command goes on.
"""

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from data_engine.datasets.sequences import TRAIN, Sequences
from data_engine.errors import Interrupted
from data_engine.graphs.evidence import Evidence
from data_engine.names.sentences import sentence_encoder
from data_engine.runtime.children import run_rerec
from data_engine.runtime.config import Config
from data_engine.runtime.provenance import provenance, write_json
from data_engine.runtime.run_directory import RunDirectory
from reward_server.local import local_server
from train.errors import TrainError
from train.reports.rounds_report import write_rounds_report
from train.rft.compose import RFTConfig, compose
from train.sequential.heads import run_rechead
from train.sequential.queries import evenly, next_lessons
from train.sequential.run import SequentialConfig, test_queries
from train.sequential.thoughts import hindsight
from train.sequential.words import Words
from train.sft.run import run_sft
from train.sft.trainer import SFTConfig

Tell = Callable[[str, int, int], None]  # hears (what is done, how many, of how many)


class RPORecConfig(Config):
    """`next` is how heads are trained and judged; without a `model`, a tiny policy is taught the template's thoughts first."""

    next: SequentialConfig
    model: Path | None = None
    rounds: int = Field(1, ge=1)
    recipe: str = "tiny-rporec"
    sft_steps: int = Field(600, ge=1)
    overrides: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[str, ...]:
        """The overrides of stage 2's recipe."""
        return (f"rerec.cut={self.next.cut}", *self.overrides)


def run_rporec(
    run: Path, store: Path, evidence: Evidence, config: RPORecConfig, tell: Tell
) -> dict[str, object]:
    """Run the rounds; returns what rporec.json holds: by round the figures on validation and test, and the best round by validation.

    Raises as `run_rechead`, and TrainError when a round's training fails.
    """
    with RunDirectory(run).held():
        return _rounds(run, store, evidence, config, tell)


def _rounds(
    run: Path, store: Path, evidence: Evidence, config: RPORecConfig, tell: Tell
) -> dict[str, object]:
    sequences, _ = test_queries(evidence, config.next.cut)
    sentence_encoder(config.next.words.encoder)  # is it there? The beginner takes minutes
    stage = RFTConfig(
        recipe=config.recipe,
        run=run / "1/rft",
        model=str(run),
        server="http://127.0.0.1",
        overrides=config.changes,
    )
    compose(stage, evidence.digest)  # nor is a recipe at odds with itself found after them
    policy, rounds = config.model or _beginner(run / "sft", evidence, config, tell), []
    for number in range(config.rounds + 1):
        if number:
            policy = _improve(
                run / str(number) / "rft",
                store,
                policy,
                run / str(number - 1) / "head/head",
                config,
            )
        whose = config.next.words.model_copy(update={"policy": policy.resolve()})
        thinking, here = config.next.model_copy(update={"words": whose}), run / str(number)
        told = lambda what, done, total, number=number: tell(f"round {number}: {what}", done, total)  # noqa: E731
        words = Words(run / "words", evidence, sequences, whose, thinking.training, told)
        if number:  # what stage 2 changed, before the head has learned from it
            frozen = run_rechead(
                here / "frozen",
                evidence,
                thinking,
                told,
                run / str(number - 1) / "head/head",
                words,
            )
            rounds.append({"round": number, "head": "frozen", "policy": str(policy)} | frozen)
        found = run_rechead(here / "head", evidence, thinking, told, words=words)
        rounds.append({"round": number, "head": "trained", "policy": str(policy)} | found)
    best = max(rounds, key=lambda one: one["validation"][f"NDCG@{config.next.k}"])
    summary = {
        "rounds": rounds,
        "best": best,
        "provenance": provenance(
            config=config.model_dump(mode="json"), graph_digest=evidence.digest
        ),
    }
    write_json(run / "rporec.json", summary)
    write_rounds_report(run)
    return summary


def _beginner(run: Path, evidence: Evidence, config: RPORecConfig, tell: Tell) -> Path:
    """A tiny policy that thinks as the template does, taught in hindsight."""
    if not (run / "model/config.json").is_file():
        sequences = Sequences.of(evidence.interactions, config.next.cut)
        moments = evenly(
            list(sequences.nexts(TRAIN)), config.next.words.lessons, between=True
        )  # the head learns from others
        taught = next_lessons(moments, hindsight(sequences, evidence), sequences, evidence)
        texts = [text for one in taught for text in (one.prompt, one.gold)]
        settings = SFTConfig(
            gold_steps=config.sft_steps, mixed_steps=0, seed=config.next.training.seed
        )
        resume = (run / "provenance.json").is_file()
        run_sft(
            run,
            evidence,
            taught,
            texts,
            settings,
            resume=resume,
            progress=lambda step, total, loss: tell(f"SFT loss {loss:.3f}", step, total),
        )
    return run / "model"


def _improve(run: Path, store: Path, policy: Path, head: Path, config: RPORecConfig) -> Path:
    """Stage 2: a policy that the frozen head ranks better with."""
    if not (run / "model/config.json").is_file():
        run.parent.mkdir(parents=True, exist_ok=True)
        with local_server(store, run.parent / "serve.log", ["--rechead", str(head)]) as url:
            words = [
                "train",
                "rft",
                config.recipe,
                "--store",
                str(store),
                "--model",
                str(policy),
                "--run",
                str(run),
                "--server",
                url,
                "--resume",
            ]
            words += [
                "--seed",
                str(config.next.training.seed),
                *(word for o in config.changes for word in ("--set", o)),
            ]
            log = run.parent / "rft.log"
            code = run_rerec(words, log)
        if code == Interrupted.exit_code:
            raise Interrupted(
                f"stage 2 was interrupted ({log} says why): run the same command again to go on"
            )
        if code:
            raise TrainError(
                f"stage 2 failed: the last line of {log} says {log.read_text().strip().splitlines()[-1][:300]}"
            )
    return run / "model"
