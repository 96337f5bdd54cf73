"""`rerec demo`: the whole journey as a list of rerec commands, one process a stage.

Every stage is a command a user could have typed. Finished stages are remembered in the run directory, so that an interrupted
journey goes on where it stopped; the reward server runs for the stages that need it.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from data_engine.errors import RerecError
from data_engine.runtime.config import Config
from data_engine.runtime.run_directory import RunDirectory

demo = typer.Typer(pretty_exceptions_enable=False)
ARMS = {
    "popularity": "",
    "untrained": "sft/untrained",
    "sft": "sft/model",
    "grpo": "grpo/model",
    "rerec": "rerec/model",
}
MOST_TOKENS = 96  # of a response, as in the recipes
NAMES = {
    "popularity": "most liked",
    "untrained": "untrained",
    "sft": "after SFT",
    "grpo": "after GRPO",
    "rerec": "after ReRec",
}


class JourneyError(RerecError):
    """A stage failed; the message names its log."""


class Size(Config):
    """How much of everything: Examples by split, SFT steps, RFT steps, held-out queries in the final table."""

    sft: int = 12000
    rl: int = 768
    validation: int = 400
    test: int = 800
    gold_steps: int = 800
    mixed_steps: int = 350
    rft_steps: int = 48


QUICK = Size(
    sft=3000, rl=80, validation=40, test=200, gold_steps=440, mixed_steps=60, rft_steps=3
)  # fewer steps, and nothing is ever right


class Stage(Config):
    """A rerec command; `scored` stages are given the URL of the journey's reward server."""

    name: str
    arguments: list[str]
    scored: bool = False


def stages(run: Path, data: Path | None, size: Size, seed: int) -> Iterator[Stage]:
    """The journey, in order."""
    store = ["--store", str(run / "store.duckdb")]
    seeded = [*store, "--seed", str(seed)]
    yield Stage(
        name="import",
        arguments=["data", "import", "tables", str(data), *store]
        if data
        else ["data", "import", "world", *seeded],
    )
    yield Stage(name="embed", arguments=["data", "embed", *seeded])
    counts = [
        word
        for split in ("sft", "rl", "validation", "test")
        for word in (f"--{split}", str(getattr(size, split)))
    ]
    yield Stage(name="synth", arguments=["synth", *counts, "--writer", "terse", *seeded])
    yield Stage(name="verify", arguments=["verify", *store])
    steps = ["--gold-steps", str(size.gold_steps), "--mixed-steps", str(size.mixed_steps)]
    yield Stage(
        name="sft",
        arguments=["train", "sft", *seeded, "--run", str(run / "sft"), *steps, "--resume"],
    )
    for arm in ("grpo", "rerec"):
        places = [
            "--model",
            str(run / ARMS["sft"]),
            "--run",
            str(run / arm),
            "--set",
            f"trainer.total_training_steps={size.rft_steps}",
        ]
        yield Stage(
            name=arm,
            arguments=["train", "rft", f"tiny-{arm}", *seeded, *places, "--resume"],
            scored=True,
        )
    for arm, model in ARMS.items():
        whom = (
            [str(run / model), "--max-tokens", str(MOST_TOKENS)] if model else ["--baseline", arm]
        )
        words = ["eval", *whom, *store, "--split", "test", "--out", str(run / f"eval/{arm}.json")]
        yield Stage(name=f"eval {arm}", arguments=words, scored=True)
    yield Stage(name="report", arguments=["report", str(run)])


@demo.command()
def _demo(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with ratings, items and triples; without it, the embedded invented world."
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Run directory; by default runs/demo-… named after data, size and seed."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Every stage in a few minutes, with figures too small to mean much."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Seed of the world, the Examples and all training.")
    ] = 0,
) -> None:
    """Raw ratings in, a measurably better recommender and an HTML report out. Run it again to go on after an interruption.

    Example: rerec demo --data ../shared/data/movies
    """
    size = QUICK if quick else Size()
    if data is not None and not data.is_dir():
        raise JourneyError(
            f"--data {data} is no folder: give one with ratings, items and triples, or leave it out for the embedded world"
        )
    run = run or Path("runs") / "-".join(
        ["demo", data.resolve().name if data else "world", *(["quick"] if quick else []), str(seed)]
    )
    directory = RunDirectory(run, "journey.json", section="config")
    done = _begin(
        directory,
        {"data": str(data.resolve()) if data else "world", "seed": seed, "size": size.model_dump()},
    )
    console = Console()
    console.print(
        f"[bold]rerec demo[/bold] → {run}"
        + (
            "  [yellow]--quick: small figures, for a look at the stages only[/yellow]"
            if quick
            else ""
        )
    )
    with ExitStack() as stack:
        server: list[str] = []
        for stage in stages(run, data, size, seed):
            if stage.name in done["stages"]:
                console.print(f"  [dim]{stage.name:<15} done before[/dim]")
                continue
            if stage.scored and not server:
                server = ["--server", stack.enter_context(_server(run))]
            done["stages"][stage.name] = _run_stage(
                console, run, stage.name, stage.arguments + (server if stage.scored else [])
            )
            directory.write_json(directory.record, done)
    _print_table(console, run)
    total = sum(stage["seconds"] for stage in done["stages"].values())
    console.print(
        f"{total / 60:.1f} min in all. Report: [bold]{run / 'report.html'}[/bold]"
        + ("  (--quick: too small to compare methods)" if quick else "")
    )


def _begin(directory: RunDirectory, config: dict[str, object]) -> dict[str, Any]:
    """The record of the run: a new one, or the one to go on with. Raises ConfigChanged."""
    from data_engine.runtime.provenance import provenance

    directory.check(config)
    record = directory.known()
    if record is None:
        record = provenance(config=config, stages={})
        directory.write_json(directory.record, record)
    return record


def _server(run: Path) -> object:
    from reward_server.local import local_server

    return local_server(run / "store.duckdb", run / "logs/serve.log")


def _run_stage(console: Console, run: Path, name: str, arguments: list[str]) -> dict[str, object]:
    """Run one command with its output in logs/; a live line meanwhile, one line at the end. Raises JourneyError when it fails,
    Interrupted on SIGTERM and Ctrl-C."""
    from data_engine.runtime.children import run_rerec

    log = run / f"logs/{name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with console.status(name) as status:
        code = run_rerec(
            arguments,
            log,
            lambda: status.update(
                f"{name}  {time.monotonic() - start:.0f} s  {_last_line(run, name, log)}"
            ),
        )
    seconds = round(time.monotonic() - start, 1)
    if code:
        raise JourneyError(
            f"stage {name} failed ({_last_line(run, '', log)}); its log is {log}; run the same command again to retry from there"
        )
    console.print(f"  [green]✓[/green] {name:<15} {seconds:7.1f} s")
    return {"seconds": seconds, "command": "rerec " + " ".join(arguments)}


def _last_line(run: Path, name: str, log: Path) -> str:
    """What the stage last said: for RFT the step it is at, else the last line of its log."""
    metrics = run / name / "log/rerec/rft.jsonl"
    if name in ("grpo", "rerec") and metrics.is_file():
        steps = metrics.read_bytes().count(b"\n")
        return f"{steps} steps done"
    with log.open("rb") as tail:
        tail.seek(max(0, log.stat().st_size - 2000))
        lines = [
            line.strip()
            for line in tail.read().decode(errors="replace").replace("\r", "\n").splitlines()
            if line.strip()
        ]
    return lines[-1][:110] if lines else ""


def _print_table(console: Console, run: Path) -> None:
    """Held-out NDCG@1 by kind, a column a stage of training, with half the width of the 95 % interval (the report has both ends)."""
    found = {arm: json.loads((run / f"eval/{arm}.json").read_text())["summary"] for arm in ARMS}
    title = f"held-out NDCG@1, {found['sft']['queries']} unseen queries, ± 95 %"
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE, show_edge=False, padding=(0, 1, 0, 0)
    )  # 80 columns hold it
    table.add_column("kind", no_wrap=True)
    for arm in ARMS:
        table.add_column(NAMES[arm], no_wrap=True)
    for kind in [*found["sft"]["by_kind"], "all"]:
        values = [f["ndcg"] if kind == "all" else f["by_kind"][kind] for f in found.values()]
        table.add_row(
            kind,
            *(f"{_short(v['mean'])} ±{_short((v['high'] - v['low']) / 2)}" for v in values),
            end_section=kind == [*found["sft"]["by_kind"]][-1],
        )
    for name, figure in (
        ("position bias p", "position_bias_p"),
        ("premise noticed", "premise_corrected"),
    ):
        table.add_row(
            name, *("-" if f.get(figure) is None else _short(f[figure]) for f in found.values())
        )
    console.print(table)


def _short(value: float) -> str:
    """ ".612"."""
    return f"{value:.3f}".removeprefix("0")
