"""An SFT run on disk: tokenizer and model made once, regular checkpoints, an exact resume."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import draft
from data_engine.runtime.provenance import provenance
from data_engine.runtime.run_directory import RunDirectory
from train.cores import threads
from train.errors import TrainError
from train.sft import tiny
from train.sft.config import ENTITIES, SFTConfig
from train.sft.encoding import encode
from train.sft.lessons import Lesson
from train.sft.tokenizer import build_tokenizer, names
from train.sft.trainer import Trainer

TELL_EVERY, SAVE_EVERY = 25, 50  # steps
DECISIVE = ("config", "graph_digest", "examples", "also", "start")
CHECKPOINT, RECORD = "checkpoint.pt", "provenance.json"
Progress = Callable[[int, int, float], None]  # called with steps done, steps in all, smoothed loss


def run_sft(
    run: Path,
    evidence: Evidence,
    taught: Sequence[Lesson],
    texts: Sequence[str],
    config: SFTConfig,
    *,
    also: Sequence[Evidence] = (),
    start: Path | None = None,
    resume: bool,
    progress: Progress,
) -> list[tuple[int, float]]:
    """Train and write a model; returns the curve of (step, smoothed loss).

    Writes run/untrained, run/model, run/curve.json and run/provenance.json.
    texts: the tokenizer knows their words.
    also: other catalogues whose names the tokenizer knows.
    start: the model folder of another SFT run, whose policy is taught further.
    Raises RunExists for a directory in use without `resume`, TrainError for a `start` that does
    not know the names, ConfigChanged for a resume with another config or graph.
    """
    torch.set_num_threads(threads())
    directory = RunDirectory(run, RECORD, upgrade=_decisive)
    facts: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "graph_digest": evidence.digest,
        "examples": len(taught),
        "also": [other.digest for other in also] or None,
        "start": start and str(start),
    }
    directory.check(facts, resume=resume)
    if start:
        _check_names(start, evidence, *also)
    first = start or run / "untrained"
    if not (first / ENTITIES).is_file():
        tokenizer, entities = build_tokenizer(evidence, texts, *also)
        model = tiny.build_model(tokenizer, tiny.TinyConfig(seed=config.seed))
        tiny.save(first, model, tokenizer, entities)
    directory.write_json(RECORD, provenance(**facts))
    return _train(directory, first, taught, config, progress)


def _train(
    directory: RunDirectory,
    first: Path,
    taught: Sequence[Lesson],
    config: SFTConfig,
    progress: Progress,
) -> list[tuple[int, float]]:
    """Train the policy of the folder `first`, from the checkpoint where there is one."""
    tokenizer = AutoTokenizer.from_pretrained(first)
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(first, dtype=torch.float32)
    entities = json.loads((first / ENTITIES).read_text())
    vocabulary = tokenizer.get_vocab()
    decisions = [vocabulary[word] for word in (" yes", " no") if word in vocabulary]
    trainer = Trainer(model, encode(taught, tokenizer), entities, config, decisions)
    checkpoint = directory.path / CHECKPOINT
    if checkpoint.is_file():
        trainer.restore(torch.load(checkpoint, weights_only=True))
    while not trainer.finished:
        loss = trainer.step()
        if trainer.done % TELL_EVERY == 0 or trainer.finished:
            progress(trainer.done, trainer.total, loss)
        if trainer.done % SAVE_EVERY == 0 and not trainer.finished:
            with draft(checkpoint) as part:
                torch.save(trainer.state(), part)
    tiny.save(directory.path / "model", model, tokenizer, entities)
    directory.write_json("curve.json", trainer.curve)
    checkpoint.unlink(missing_ok=True)
    return trainer.curve


def _check_names(start: Path, *catalogues: Evidence) -> None:
    """Refuse a start for which a name would be spelled out, byte by byte."""
    if not (start / ENTITIES).is_file():
        raise TrainError(f"no tiny policy at {start}: give model/ of another `rerec train sft` run")
    known = AutoTokenizer.from_pretrained(start).get_vocab()
    unknown: list[str] = []
    for catalogue in catalogues:
        for group in names(catalogue).values():
            unknown += [name for name in group if name not in known]
    if unknown:
        raise TrainError(
            f"{start} does not know {len(unknown)} names of this catalogue, such as{unknown[0]}: "
            "make it with `--also` this store"
        )


def _decisive(record: dict[str, Any]) -> dict[str, Any]:
    """The part of provenance.json that decides the run."""
    return {key: record.get(key) for key in DECISIVE}
