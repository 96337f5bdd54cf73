"""The policies of RPORec: the first one, and one that stage 2 has improved."""

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from data_engine.datasets.sampling import evenly
from data_engine.datasets.sequences import TRAIN, Sequences
from data_engine.errors import Interrupted
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.children import run_rerec
from data_engine.runtime.config import Config
from reward_server.local import local_server
from train.errors import TrainError
from train.sequential.config import SequentialConfig
from train.sequential.queries import next_lessons
from train.sequential.template import hindsight
from train.sft.config import SFTConfig
from train.sft.run import run_sft

Progress = Callable[[str, int, int], None]  # called with what is done, how many, of how many


class RPORecConfig(Config):
    """The rounds.

    next: how heads are trained and tested.
    model: the first policy; without it, a tiny one is taught the template's thoughts.
    recipe, overrides: of stage 2. sft_steps: of the tiny policy.
    """

    next: SequentialConfig
    model: Path | None = None
    rounds: int = Field(1, ge=1)
    recipe: str = "tiny-rporec"
    sft_steps: int = Field(600, ge=1)
    overrides: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[str, ...]:
        """All overrides of stage 2's recipe."""
        return (f"rerec.cut={self.next.cut}", *self.overrides)


def first_policy(run: Path, evidence: Evidence, config: RPORecConfig, progress: Progress) -> Path:
    """The folder of a tiny policy that thinks as the template does in hindsight; made once."""
    if (run / "model/config.json").is_file():
        return run / "model"
    sequences = Sequences.of(evidence.interactions, config.next.cut)
    every = list(sequences.nexts(TRAIN))
    moments = evenly(every, config.next.words.lessons, between=True)  # the head learns from others
    taught = next_lessons(moments, hindsight(sequences, evidence), sequences, evidence)
    texts: list[str] = []
    for lesson in taught:
        texts += [lesson.prompt, lesson.gold]
    seed = config.next.training.seed

    def on_step(step: int, total: int, loss: float) -> None:
        progress(f"SFT loss {loss:.3f}", step, total)

    run_sft(
        run,
        evidence,
        taught,
        texts,
        SFTConfig(gold_steps=config.sft_steps, mixed_steps=0, seed=seed),
        resume=(run / "provenance.json").is_file(),
        progress=on_step,
    )
    return run / "model"


def improve(run: Path, store: Path, policy: Path, head: Path, config: RPORecConfig) -> Path:
    """Stage 2: the folder of a policy with which the frozen head ranks better; made once.

    Raises TrainError when the training fails, Interrupted when it was stopped.
    """
    if (run / "model/config.json").is_file():
        return run / "model"
    run.parent.mkdir(parents=True, exist_ok=True)
    log = run.parent / "rft.log"
    with local_server(store, run.parent / "serve.log", ["--rechead", str(head)]) as url:
        places = ["--store", str(store), "--model", str(policy), "--run", str(run)]
        words = ["train", "rft", config.recipe, *places, "--server", url, "--resume"]
        words += ["--seed", str(config.next.training.seed)]
        for override in config.changes:
            words += ["--set", override]
        code = run_rerec(words, log)
    if code == Interrupted.exit_code:
        raise Interrupted(
            f"stage 2 was interrupted ({log} says why): run the same command again to go on"
        )
    if code:
        last = log.read_text().strip().splitlines()[-1]
        raise TrainError(f"stage 2 failed: the last line of {log} says {last[:300]}")
    return run / "model"
