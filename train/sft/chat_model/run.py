"""An SFT run of a chat model on disk: data, checkpoints, an exact resume, a plain model folder.

A run directory holds data/*.parquet, config.yaml, provenance.json, curve.json, log/, model/ (that
of the last checkpoint) and, until the end, checkpoints/.
"""

import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from agents.llm.smollm2 import folder_digest
from data_engine.datasets.parquet import write_verl
from data_engine.errors import Interrupted
from data_engine.runtime.atomic import draft
from data_engine.runtime.progress import ReportProgress
from data_engine.runtime.provenance import provenance
from data_engine.runtime.quiet import words_to
from data_engine.runtime.run_directory import RunDirectory
from data_engine.schema import content_hash
from train.rft.checkpoints import FOLDER, STOP, disk_full, last_whole
from train.rft.environment import prepare_environment
from train.sft.chat_model.compose import compose
from train.sft.chat_model.config import ChatSFTConfig
from train.sft.chat_model.prepared import Prepared

CURVE, RECORD, MODEL, CHECKPOINTS = "curve.json", "provenance.json", "model", "checkpoints"
MOVABLE = ("model", "save_every", "eval_queries", "eval_every")  # the weights have a digest
DECISIVE = ("config", "weights", "graph_digest", "lessons")
Point = dict[str, float]  # step, loss, and what validation found
Validate = Callable[[Path], Point]  # of a model folder


def run_chat_sft(
    run: Path,
    prepared: Prepared,
    graph_digest: str,
    *,
    validate: Validate,
    resume: bool,
    progress: ReportProgress,
    again: str,
) -> list[Point]:
    """Train to the end; returns the curve, one point per checkpoint.

    validate: called with the model of each checkpoint. again: the command that resumes. Raises
    RunExists for a directory in use without `resume`, ConfigChanged for a resume with another
    config, model, graph or lessons, Interrupted on SIGTERM, Ctrl-C and a full disk.
    """
    directory = RunDirectory(run, RECORD, upgrade=_decisive)
    facts = {
        "config": prepared.config.model_dump(mode="json", exclude=set(MOVABLE)),
        "weights": folder_digest(prepared.folder),
        "graph_digest": graph_digest,
        "lessons": content_hash(prepared.rows),
    }
    going_on = directory.check(facts, resume=resume)
    with directory.held():
        session = _Session(directory, prepared, validate, progress)
        if going_on and session.finished:
            return session.curve
        for message in last_whole(run / CHECKPOINTS)[1]:
            print(f"beware: {message}", file=sys.stderr)
        directory.write_json(RECORD, provenance(**facts))
        with _resumable(run / CHECKPOINTS, again):
            session.train()
        if not session.finished:
            raise Interrupted(f"stopped by SIGTERM after a checkpoint; resume with: {again}")
        shutil.rmtree(run / CHECKPOINTS)
    return session.curve


class _Session:
    """One attempt at a run."""

    def __init__(
        self,
        directory: RunDirectory,
        prepared: Prepared,
        validate: Validate,
        progress: ReportProgress,
    ) -> None:
        self.directory, self.prepared = directory, prepared
        self.validate, self.progress = validate, progress
        curve = directory.path / CURVE
        self.curve: list[Point] = json.loads(curve.read_text()) if curve.is_file() else []
        self.last: Point = {}
        self.steps = prepared.config.steps or 0

    @property
    def finished(self) -> bool:
        """Whether the model of the last step is there."""
        return bool(self.curve) and self.curve[-1]["step"] == self.steps

    def train(self) -> None:
        """From the last checkpoint to the end, in this process."""
        run, p = self.directory.path, self.prepared
        prepare_environment(cpu=not p.gpu)
        write_verl(run / "data/sft.parquet", p.rows)
        if p.held_out:
            write_verl(run / "data/held_out.parquet", p.held_out)
        self.composed = compose(
            p.config,
            run,
            p.folder,
            longest=p.longest,
            held_out=bool(p.held_out),
            checkpointing=p.checkpointing,
            gpu=p.gpu,
        )
        self.directory.write("config.yaml", OmegaConf.to_yaml(self.composed, resolve=True))
        os.environ["VERL_FILE_LOGGER_ROOT"] = str((run / "log").resolve())
        with words_to(run / "log/libraries.log"):
            from train.verl_plugin.sft_trainer import train

            done = train(self.composed, run / CHECKPOINTS / STOP, self.told, self.saved)
        if done and not self.finished:  # killed between the last checkpoint and its model
            self.saved(self.steps, None)

    def told(self, step: int, metrics: Point) -> None:
        """A step is done."""
        self.last = {"step": step, "loss": metrics["loss"]}
        self.progress(step, self.steps, f"loss {metrics['loss']:.3f}")

    def saved(self, step: int, held_out_loss: float | None) -> None:
        """A checkpoint is whole: make its model, validate it, add to the curve."""
        checkpoint = self.directory.path / CHECKPOINTS / f"{FOLDER}{step}"
        model = publish(checkpoint, self.directory.path / MODEL, self.composed.model)
        point: Point = {"step": step, **self.last}
        if held_out_loss is not None:
            point["held_out_loss"] = held_out_loss
        if self._is_evaluated(step):
            point |= self.validate(model)
        found = [f"{name} {value:.3f}" for name, value in point.items() if name != "step"]
        self.progress(step, self.steps, "checkpoint: " + ", ".join(found))
        self.curve = [*(old for old in self.curve if old["step"] < step), point]
        self.directory.write_json(CURVE, self.curve)

    def _is_evaluated(self, step: int) -> bool:
        every = self.prepared.config.eval_every
        stopping = (self.directory.path / CHECKPOINTS / STOP).exists()
        return step == self.steps or bool(every and step % every == 0 and not stopping)


def publish(checkpoint: Path, target: Path, settings: DictConfig) -> Path:
    """Make of a checkpoint a plain model folder at `target`, an adapter merged into the weights."""
    with draft(target) as part:
        shutil.copytree(checkpoint / "huggingface", part)
        if settings.lora_rank:
            from train.rft.adapter import merge_adapter

            merge_adapter(part, settings)
        shutil.rmtree(target, ignore_errors=True)
    return target


@contextmanager
def _resumable(checkpoints: Path, again: str) -> Iterator[None]:
    """Turn what a resume can mend into Interrupted; SIGTERM stops the block after a checkpoint."""
    stop = checkpoints / STOP
    checkpoints.mkdir(parents=True, exist_ok=True)
    stop.unlink(missing_ok=True)
    before = signal.signal(signal.SIGTERM, lambda *_: stop.touch())
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; resume from the last checkpoint with: {again}") from None
    except (OSError, RuntimeError) as error:
        if not disk_full(checkpoints, error):
            raise
        raise Interrupted(
            f"the disk is full: make room at {checkpoints}, "
            f"then resume from the last checkpoint with: {again}"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def command(store: Path, run: Path, config: ChatSFTConfig) -> str:
    """The command line that resumes a run, as a user would type it."""
    words = ["rerec", "train", "sft", "--store", str(store), "--run", str(run)]
    for name, value in config.model_dump(exclude_none=True).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--resume"])


def _decisive(record: dict[str, Any]) -> dict[str, Any]:
    config = {"answer_weight": 1.0, "precision": "fp32", **record.get("config", {})}
    return {key: record.get(key) for key in DECISIVE} | {"config": config}
