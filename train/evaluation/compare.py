"""`rerec train compare`: every method from the same start with every seed, each cell a command of its own; one after another, or on Ray as many
at a time as it has cores for.

A cell that is done is never done again; a cell that fails is named, and the others go on. run/METHOD/SEED/ holds a training run and its
eval.json; comparison.json and comparison.html sum them up.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from data_engine.runtime.atomic import write
from data_engine.runtime.children import RAY_ENVIRONMENT, run_rerec
from data_engine.runtime.config import Config
from data_engine.runtime.provenance import provenance, write_json
from data_engine.runtime.run_directory import RunDirectory
from reward_server.local import local_server
from train.errors import TrainError
from train.evaluation.comparison import ALL, compare
from train.evaluation.methods import Method, method
from train.reports.pages import canvas, inline, png, read_metrics, render
from train.rft.run import RFTConfig, compose, metrics_files, on_cpu

DONE = "done before"


class CompareConfig(Config):
    """The matrix: methods (the first is what the others are held against), seeds, the model all start from, the split all are judged on."""

    store: Path
    model: Path
    methods: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    split: str = "validation"
    queries: int | None = Field(None, ge=1)  # of the RL split to learn from; None: all
    overrides: tuple[str, ...] = ()
    cores: int | None = Field(None, ge=1)  # of a cell on Ray; None: no Ray


Tell = Callable[[str, int, str], None]  # hears (method, seed, what became of it)


def run_matrix(run: Path, config: CompareConfig, tell: Tell) -> dict[str, object]:
    """Fill the matrix and write comparison.json and comparison.html; returns what comparison.json holds.

    Raises BadRecipe for a method that does not exist or does not compose, ConfigChanged for a
    directory of another matrix (methods and seeds may be added), TrainError when no cell could be finished, Interrupted on SIGTERM and Ctrl-C.
    """
    methods = [method(name) for name in config.methods]
    for m in methods:  # a recipe at odds with itself is found before the first cell is trained
        compose(_cell_config(run / m.name, m, config), "compare")
    begin(run, config)
    failed: dict[str, str] = {}
    for m, seed, wrong in _filled(
        run, [(m, seed) for seed in config.seeds for m in methods], config
    ):
        if wrong not in ("", DONE):
            failed[f"{m.name} {seed}"] = wrong
        tell(m.name, seed, wrong or "done")
    return write_comparison(run, config, failed)


def _cell_config(cell: Path, m: Method, config: CompareConfig) -> RFTConfig:
    """Of any seed; a cell is always given a server."""
    changes = (*m.overrides, *config.overrides)
    return RFTConfig(
        recipe=m.recipe,
        run=cell,
        model=str(config.model),
        server="http://127.0.0.1",
        overrides=changes,
    )


def write_comparison(run: Path, config: CompareConfig, failed: dict[str, str]) -> dict[str, object]:
    """Sum up the cells that are there. Raises TrainError when there are none."""
    found = {
        name: {
            s: run / name / str(s)
            for s in config.seeds
            if (run / name / str(s) / "eval.json").is_file()
        }
        for name in config.methods
    }
    cells = {
        name: {s: json.loads((at / "eval.json").read_text())["rows"] for s, at in by.items()}
        for name, by in found.items()
        if by
    }
    if not cells:
        raise TrainError(
            f"no cell of {run} was finished: {next(iter(failed.values()), 'nothing ran')}"
        )
    table = compare(cells)
    costs = {name: _cost(list(found[name].values())) for name in cells}
    facts = provenance(config=config.model_dump(mode="json"))
    summary = {"table": table, "costs": costs, "failed": failed, "provenance": facts}
    write_json(run / "comparison.json", summary)
    kinds = list(next(iter(table.values())))
    plot = inline(
        _draw(
            table,
            {
                name: [read_metrics(metrics_files(at)) for at in found[name].values()]
                for name in cells
            },
        )
    )
    html = render(
        "comparison.html",
        run=run.name,
        kinds=kinds,
        first=next(iter(table)),
        plot=plot,
        split=config.split,
        **summary,
    )
    write(run / "comparison.html", html)
    return summary


def begin(run: Path, config: CompareConfig) -> None:
    """Remember the matrix; its methods and seeds may grow. Raises ConfigChanged for another one."""
    directory = RunDirectory(run, "compare.json")
    decisive = config.model_dump(mode="json", exclude={"methods", "seeds", "cores"})
    directory.check(decisive)
    directory.write_json(directory.record, decisive)


def _filled(
    run: Path, cells: list[tuple[Method, int]], config: CompareConfig
) -> Iterator[tuple[Method, int, str]]:
    """Each cell as it is done, with what went wrong, "" for nothing; a server for all, or on Ray one a cell: it may be another machine."""
    missing = []
    for m, seed in cells:
        if (run / m.name / str(seed) / "eval.json").is_file():
            yield m, seed, DONE
        else:
            missing.append((m, seed))
    if not config.cores:
        with local_server(config.store, run / "serve.log") as url:
            for m, seed in missing:
                yield m, seed, _fill(run / m.name / str(seed), m, seed, config, url)
        return
    import ray

    ray.init(
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        runtime_env=RAY_ENVIRONMENT,
    )
    try:
        task = ray.remote(num_cpus=config.cores, max_retries=0)(_fill_apart)
        waiting = {
            task.remote((run / m.name / str(seed)).resolve(), m, seed, config): (m, seed)
            for m, seed in missing
        }
        while waiting:
            (first,), _ = ray.wait(list(waiting))
            m, seed = waiting.pop(first)
            try:
                yield m, seed, ray.get(first)
            except ray.exceptions.RayError as error:
                yield m, seed, f"its machine was lost ({type(error).__name__})"
    finally:
        ray.shutdown()


def _fill_apart(cell: Path, m: Method, seed: int, config: CompareConfig) -> str:
    """On Ray: with a server of its own. A tiny policy starts a Ray of its own too; what needs GPUs asks the cluster for them."""
    if on_cpu(m.recipe, (*m.overrides, *config.overrides)):
        os.environ.pop("RAY_ADDRESS", None)
    cell.mkdir(parents=True, exist_ok=True)
    with local_server(config.store, cell.parent / f"{seed}-serve.log") as url:
        return _fill(cell, m, seed, config, url)


def _fill(cell: Path, m: Method, seed: int, config: CompareConfig, url: str) -> str:
    """Train and judge one cell, going on where it was cut short; "" or what went wrong."""
    store = ["--store", str(config.store), "--server", url]
    changes = [word for o in (*m.overrides, *config.overrides) for word in ("--set", o)]
    words = [
        "train",
        "rft",
        m.recipe,
        *store,
        "--model",
        str(config.model),
        "--run",
        str(cell),
        "--seed",
        str(seed),
        *changes,
        "--resume",
    ]
    words += ["--queries", str(config.queries)] if config.queries else []
    start = time.monotonic()
    wrong = _run("train", words, cell)
    if not wrong:
        trained = _trained_as(cell)
        asked = [
            "--max-tokens",
            str(trained.data.max_response_length),
            "--style",
            trained.rerec.style,
        ]
        wrong = _run(
            "eval",
            [
                "eval",
                str(cell / "model"),
                *store,
                "--split",
                config.split,
                *asked,
                "--out",
                str(cell / "eval.json"),
            ],
            cell,
        )
    if not wrong:
        write_json(cell / "seconds.json", time.monotonic() - start)
    return wrong


def _run(name: str, words: list[str], cell: Path) -> str:
    log = cell.parent / f"{cell.name}-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if not run_rerec(words, log):
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{name} failed ({lines[-1][:160] if lines else 'no words'}); its log is {log}"


def _cost(cells: list[Path]) -> dict[str, float | None]:
    """Mean rollouts and seconds of a cell; seconds are None where no cell ran in one go."""
    steps = [read_metrics(metrics_files(cell)).get("rerec/score", ([], []))[0] for cell in cells]
    rollouts = [
        len(found) * _rollouts_a_step(cell) for found, cell in zip(steps, cells, strict=True)
    ]
    seconds = [
        json.loads((cell / "seconds.json").read_text())
        for cell in cells
        if (cell / "seconds.json").is_file()
    ]
    return {
        "rollouts": sum(rollouts) / len(cells),
        "seconds": sum(seconds) / len(seconds) if seconds else None,
    }


def _rollouts_a_step(cell: Path) -> int:
    config = _trained_as(cell)
    return config.data.train_batch_size * config.actor_rollout_ref.rollout.n


def _trained_as(cell: Path) -> DictConfig:
    return OmegaConf.load(cell / "config.yaml")


def _draw(table: dict, curves: dict[str, list[dict]]) -> bytes:
    """PNG: left, each method's mean and interval with its seeds as dots; right, NDCG of the rollouts, mean over seeds."""
    figure, axes = canvas(1, 2, 12, 1.6 + 0.5 * max(4, len(table)))
    left, right = axes[0]
    for n, (name, kinds) in enumerate(table.items()):
        entry, colour = kinds[ALL], f"C{n}"
        left.errorbar(entry["mean"], n, xerr=entry["half"] or 0, fmt="o", color=colour, capsize=4)
        left.scatter(
            list(entry["seeds"].values()), [n + 0.18] * entry["n"], s=12, alpha=0.6, color=colour
        )
        series = [m["rerec/ndcg"][1] for m in curves[name] if "rerec/ndcg" in m]
        if series and (length := min(map(len, series))) >= 5:
            mean = np.mean([s[:length] for s in series], axis=0)
            right.plot(
                range(5, length + 1), np.convolve(mean, np.ones(5) / 5, "valid"), color=colour
            )
    left.set(
        yticks=range(len(table)), yticklabels=list(table), title="held-out NDCG@1, 95 % over seeds"
    )
    left.invert_yaxis()
    right.set(title="NDCG@1 of rollouts, mean of five steps (colours: left)", xlabel="step")
    return png(figure)
