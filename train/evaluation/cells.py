"""One cell of a comparison: a training command, then an evaluation command."""

import time

from data_engine.runtime.children import run_rerec
from data_engine.runtime.provenance import write_json
from train.evaluation.matrix import Cell, CompareConfig, trained_config


def fill(cell: Cell, config: CompareConfig, url: str) -> str:
    """Train and evaluate a cell, from where it was cut short; returns "" or what went wrong.

    url: of the reward server.
    """
    store = ["--store", str(config.store), "--server", url]
    start = time.monotonic()
    wrong = _run("train", _training_command(cell, config, store), cell)
    if not wrong:
        wrong = _run("eval", _evaluation_command(cell, config, store), cell)
    if not wrong:
        write_json(cell.folder / "seconds.json", time.monotonic() - start)
    return wrong


def _training_command(cell: Cell, config: CompareConfig, store: list[str]) -> list[str]:
    places = ["--model", str(config.model), "--run", str(cell.folder)]
    words = ["train", "rft", cell.method.recipe, *store, *places, "--seed", str(cell.seed)]
    for override in (*cell.method.overrides, *config.overrides):
        words += ["--set", override]
    words.append("--resume")
    if config.queries:
        words += ["--queries", str(config.queries)]
    return words


def _evaluation_command(cell: Cell, config: CompareConfig, store: list[str]) -> list[str]:
    """Evaluation in the style and with the response length that the cell was trained with."""
    trained = trained_config(cell.folder)
    longest = str(trained.data.max_response_length)
    style = ["--max-tokens", longest, "--style", trained.rerec.style]
    out = ["--out", str(cell.folder / "eval.json")]
    return ["eval", str(cell.folder / "model"), *store, "--split", config.split, *style, *out]


def _run(name: str, words: list[str], cell: Cell) -> str:
    """Run a command with its output in a log beside the cell; returns "" or what went wrong."""
    log = cell.folder.parent / f"{cell.seed}-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if not run_rerec(words, log):
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{name} failed ({lines[-1][:160] if lines else 'no words'}); its log is {log}"
