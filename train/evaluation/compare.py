"""`rerec train compare`: every method from the same start with every seed.

Each cell is a pair of commands. A cell that is done is never done again; a cell that fails is
named, and the others go on. run/METHOD/SEED/ holds a training run and its eval.json;
comparison.json and comparison.html sum them up.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

from data_engine.runtime.provenance import provenance
from data_engine.runtime.run_directory import RunDirectory
from train.errors import TrainError
from train.evaluation.comparison import Entry, compare
from train.evaluation.matrix import Cell, CompareConfig, cells_of, trained_config
from train.evaluation.methods import Method, method
from train.evaluation.schedule import fill_here, fill_on_ray
from train.reports.comparison_report import write_comparison_report
from train.reports.metrics import read_metrics
from train.rft.compose import RFTConfig, compose
from train.rft.resume import metrics_files

DONE = "done before"
OnCell = Callable[[str, int, str], None]  # called with method, seed and what became of the cell


class Cost(TypedDict):
    """Means over the cells of a method; seconds are None where no cell ran in one go."""

    rollouts: float
    seconds: float | None


class Summary(TypedDict):
    """The content of comparison.json; `failed` says by "METHOD SEED" what went wrong."""

    table: dict[str, dict[str, Entry]]
    costs: dict[str, Cost]
    failed: dict[str, str]
    provenance: dict[str, object]


def run_matrix(run: Path, config: CompareConfig, on_cell: OnCell) -> Summary:
    """Fill the matrix and write comparison.json and comparison.html.

    Raises BadRecipe for a method that does not exist or does not compose, ConfigChanged for a
    directory of another matrix (methods and seeds may be added), TrainError when no cell could be
    finished, Interrupted on SIGTERM and Ctrl-C.
    """
    methods = [method(name) for name in config.methods]
    for one in methods:  # a recipe at odds with itself is found before the first cell is trained
        compose(_composition(run / one.name, one, config), "compare")
    begin(run, config)
    failed: dict[str, str] = {}
    for cell, outcome in _filled(run, cells_of(run, methods, config.seeds), config):
        if outcome not in ("", DONE):
            failed[f"{cell.method.name} {cell.seed}"] = outcome
        on_cell(cell.method.name, cell.seed, outcome or "done")
    return write_comparison(run, config, failed)


def begin(run: Path, config: CompareConfig) -> None:
    """Write down which matrix this is; its methods and seeds may grow.

    Raises ConfigChanged for a directory of another one.
    """
    directory = RunDirectory(run, "compare.json")
    decisive = config.model_dump(mode="json", exclude={"methods", "seeds", "cores"})
    directory.check(decisive)
    directory.write_json(directory.record, decisive)


def write_comparison(run: Path, config: CompareConfig, failed: dict[str, str]) -> Summary:
    """Sum up the cells that are there. Raises TrainError when there are none."""
    folders: dict[str, dict[int, Path]] = {}
    for name in config.methods:
        of_method = {seed: run / name / str(seed) for seed in config.seeds}
        done = {seed: at for seed, at in of_method.items() if (at / "eval.json").is_file()}
        if done:
            folders[name] = done
    if not folders:
        raise TrainError(
            f"no cell of {run} was finished: {next(iter(failed.values()), 'nothing ran')}"
        )
    summary: Summary = {
        "table": compare({name: _evaluated(by_seed) for name, by_seed in folders.items()}),
        "costs": {name: _cost(list(by_seed.values())) for name, by_seed in folders.items()},
        "failed": failed,
        "provenance": provenance(config=config.model_dump(mode="json")),
    }
    RunDirectory(run).write_json("comparison.json", summary)
    write_comparison_report(run, config.split, summary, folders)
    return summary


def _composition(folder: Path, one: Method, config: CompareConfig) -> RFTConfig:
    """The configuration of the cells of a method, of any seed; a cell is always given a server."""
    return RFTConfig(
        recipe=one.recipe,
        run=folder,
        model=str(config.model),
        server="http://127.0.0.1",
        overrides=(*one.overrides, *config.overrides),
    )


def _filled(run: Path, cells: list[Cell], config: CompareConfig) -> Iterator[tuple[Cell, str]]:
    """Each cell as it is done, with "", DONE or what went wrong."""
    missing = []
    for cell in cells:
        if cell.done:
            yield cell, DONE
        else:
            missing.append(cell)
    yield from fill_on_ray(missing, config) if config.cores else fill_here(run, missing, config)


def _evaluated(folders: dict[int, Path]) -> dict[int, list[dict[str, object]]]:
    """The evaluated rows of a method, by seed."""
    return {
        seed: json.loads((folder / "eval.json").read_text())["rows"]
        for seed, folder in folders.items()
    }


def _cost(folders: list[Path]) -> Cost:
    rollouts, seconds = 0, []
    for folder in folders:
        steps, _ = read_metrics(metrics_files(folder)).get("rerec/score", ([], []))
        config = trained_config(folder)
        per_step = config.data.train_batch_size * config.actor_rollout_ref.rollout.n
        rollouts += len(steps) * per_step
        if (folder / "seconds.json").is_file():
            seconds.append(json.loads((folder / "seconds.json").read_text()))
    return {
        "rollouts": rollouts / len(folders),
        "seconds": sum(seconds) / len(seconds) if seconds else None,
    }
