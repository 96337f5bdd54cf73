"""An SFT run on disk: tokenizer and model made once, a checkpoint now and then, an exact resume."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import draft
from data_engine.runtime.provenance import provenance, write_json
from data_engine.runtime.run_directory import RunDirectory
from data_engine.schema import Example
from train.cores import threads
from train.errors import TrainError
from train.sft import tiny
from train.sft.training import Lesson, SFTConfig, Trainer, encode
from train.tasks.dialogues import DIALOGUES, fits
from train.tasks.prompts import open_book, response

SAMPLE = 2000  # Examples whose words the tokenizer learns
SAVE_EVERY = 50
DECISIVE = ("config", "graph_digest", "examples", "also", "start")


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
    progress: Callable[[int, int, float], None],
) -> list[tuple[int, float]]:
    """Train and write run/untrained, run/model, run/curve.json, run/provenance.json; returns the curve of (step, smoothed loss). The tokenizer
    knows the words of `texts`, and the names of other catalogues, `also`. From a `start`, the model folder of another SFT run, that policy
    is taught on with its tokenizer, and nothing is made untrained.

    Raises RunExists for a directory in use without `resume`, TrainError for a `start` that does not know the names, ConfigChanged for a resume with
    another config or graph.
    """
    torch.set_num_threads(threads())
    directory = RunDirectory(run, "provenance.json", upgrade=_configuration)
    facts: dict[str, object] = {
        "config": config.model_dump(mode="json"),
        "graph_digest": evidence.digest,
        "examples": len(taught),
    }
    facts["also"] = [one.digest for one in also] or None
    facts["start"] = start and str(start)
    directory.check(facts, resume=resume)
    if start:
        _check_names(start, evidence, *also)
    checkpoint, first = run / "checkpoint.pt", start or run / "untrained"
    if not (first / tiny.ENTITIES).is_file():
        tokenizer, entities = tiny.build_tokenizer(evidence, texts, *also)
        tiny.save(
            first,
            tiny.build_model(tokenizer, tiny.TinyConfig(seed=config.seed)),
            tokenizer,
            entities,
        )
    write_json(run / "provenance.json", provenance(**facts))
    tokenizer = AutoTokenizer.from_pretrained(first)
    model = AutoModelForCausalLM.from_pretrained(first, dtype=torch.float32)
    entities = json.loads((first / tiny.ENTITIES).read_text())
    decisions = [i for i in tokenizer.convert_tokens_to_ids([" yes", " no"]) if i is not None]
    trainer = Trainer(model, encode(taught, tokenizer), entities, config, decisions)
    if checkpoint.is_file():
        trainer.restore(torch.load(checkpoint, weights_only=True))
    while not trainer.finished:
        loss = trainer.step()
        if trainer.done % 25 == 0 or trainer.finished:
            progress(trainer.done, trainer.total, loss)
        if trainer.done % SAVE_EVERY == 0 and not trainer.finished:
            with draft(checkpoint) as part:
                torch.save(trainer.state(), part)
    tiny.save(run / "model", model, tokenizer, entities)
    write_json(run / "curve.json", trainer.curve)
    checkpoint.unlink(missing_ok=True)
    return trainer.curve


def words_of(examples: list[Example], evidence: Evidence, style: str = "open-book") -> list[str]:
    """The texts of some of the Examples, all their chains among them; of a dialogue all that anybody says."""
    if style in DIALOGUES:
        said = (m for e in examples if fits(style, e) for m in DIALOGUES[style](e, evidence))
        return ["tool", *dict.fromkeys(text for m in said for text in (m.content, *m.astray))]
    chosen = examples[:: max(1, len(examples) // SAMPLE)]
    return [
        t
        for e in chosen
        for t in (open_book(e, evidence), *(response(c, evidence) for c in e.chains))
    ]


def _check_names(start: Path, *catalogues: Evidence) -> None:
    """Refuse a start for which a name would be spelled out, byte by byte."""
    if not (start / tiny.ENTITIES).is_file():
        raise TrainError(f"no tiny policy at {start}: give model/ of another `rerec train sft` run")
    known = AutoTokenizer.from_pretrained(start).get_vocab()
    if strange := [
        name
        for one in catalogues
        for group in tiny.names(one).values()
        for name in group
        if name not in known
    ]:
        raise TrainError(
            f"{start} does not know {len(strange)} names of this catalogue, such as{strange[0]}: make it with `--also` this store"
        )


def _configuration(record: dict[str, object]) -> dict[str, object]:
    """Of what provenance.json holds, what decides the run."""
    return {key: record.get(key) for key in DECISIVE}
