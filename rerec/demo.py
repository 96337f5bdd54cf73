"""`rerec demo`: the whole journey as a list of rerec commands, one process per stage.

Finished stages are remembered in the run directory, so that an interrupted journey goes on where it
stopped; the reward server runs for the stages that need it.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from data_engine.errors import RerecError
from data_engine.runtime.run_directory import RunDirectory
from rerec.demo_table import results_table
from rerec.journey import POLICIES, QUICK, REINFORCED, JourneySize, Stage, stages
from rerec.parts import PartMissing, lacking

demo = typer.Typer(pretty_exceptions_enable=False)
LINE_WIDTH = 110  # characters of a log's last line that are shown
TAIL = 2000  # bytes of a log in which its last line is looked for


class JourneyError(RerecError):
    """A stage failed; the message names its log."""


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
    """Raw ratings in, a measurably better recommender and an HTML report out. Run it again to go on
    after an interruption.

    Example: rerec demo --data ../shared/data/movies
    """
    if lacking("train"):
        raise PartMissing("the demo", "train")
    if data is not None and not data.is_dir():
        raise JourneyError(
            f"--data {data} is no folder: give one with ratings, items and triples, "
            "or leave it out for the embedded world"
        )
    size = QUICK if quick else JourneySize()
    run = run or _default_run(data, quick, seed)
    console = Console()
    warning = "  [yellow]--quick: small figures, for a look at the stages only[/yellow]"
    console.print(f"[bold]rerec demo[/bold] → {run}{warning if quick else ''}")
    seconds = _run_stages(console, run, data, size, seed)
    console.print(results_table(run))
    report = f"Report: [bold]{run / 'report.html'}[/bold]"
    console.print(
        f"{seconds / 60:.1f} min in all. {report}"
        + ("  (--quick: too small to compare methods)" if quick else "")
    )
    policy = run / POLICIES["rerec"]
    console.print(
        f"Ask it yourself: [bold]rerec assistant --store {run / 'store.duckdb'} --policy {policy}"
        "[/bold]",
        soft_wrap=True,
    )


def _default_run(data: Path | None, quick: bool, seed: int) -> Path:
    source = data.resolve().name if data else "world"
    return Path("runs") / "-".join(["demo", source, *(["quick"] if quick else []), str(seed)])


def _run_stages(
    console: Console, run: Path, data: Path | None, size: JourneySize, seed: int
) -> float:
    """Run the stages that are not done yet; returns the seconds of all. Raises ConfigChanged."""
    directory = RunDirectory(run, "journey.json", section="config", upgrade=_with_batch)
    source = str(data.resolve()) if data else "world"
    record = _begin(directory, {"data": source, "seed": seed, "size": size.model_dump()})
    with ExitStack() as stack:
        server: list[str] = []
        anew = False  # what follows a stage that was run now is run too: the report shows it
        for stage in stages(run, data, size, seed):
            if stage.name in record["stages"] and not anew:
                console.print(f"  [dim]{stage.name:<15} done before[/dim]")
                continue
            anew = True
            if stage.scored and not server:
                server = ["--server", stack.enter_context(_server(run))]
            arguments = stage.arguments + (server if stage.scored else [])
            record["stages"][stage.name] = _run_stage(console, run, stage, arguments)
            directory.write_json(directory.record, record)
    return float(sum(stage["seconds"] for stage in record["stages"].values()))


def _with_batch(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a run from before the batch was part of it."""
    return config | {"size": {"batch": 32, **config["size"]}}


def _begin(directory: RunDirectory, config: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the run: a new one, or the one to go on with. Raises ConfigChanged."""
    from data_engine.runtime.provenance import provenance

    directory.check(config)
    record = directory.known()
    if record is None:
        record = dict(provenance(config=config, stages={}))
        directory.write_json(directory.record, record)
    return record


def _server(run: Path) -> AbstractContextManager[str]:
    from reward_server.local import local_server

    return local_server(run / "store.duckdb", run / "logs/serve.log")


def _run_stage(console: Console, run: Path, stage: Stage, arguments: list[str]) -> dict[str, Any]:
    """Run one command with its output in logs/; a live line meanwhile, one line at the end.

    Raises JourneyError when it fails, Interrupted on SIGTERM and Ctrl-C.
    """
    from data_engine.runtime.children import run_rerec

    log = run / f"logs/{stage.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with console.status(stage.name) as status:

        def show_progress() -> None:
            seconds = time.monotonic() - start
            status.update(f"{stage.name}  {seconds:.0f} s  {_progress(run, stage.name, log)}")

        code = run_rerec(arguments, log, show_progress)
    seconds = round(time.monotonic() - start, 1)
    if code:
        raise JourneyError(
            f"stage {stage.name} failed ({_last_line(log)}); its log is {log}; "
            "run the same command again to retry from there"
        )
    console.print(f"  [green]✓[/green] {stage.name:<15} {seconds:7.1f} s")
    return {"seconds": seconds, "command": "rerec " + " ".join(arguments)}


def _progress(run: Path, name: str, log: Path) -> str:
    """How far a stage is: for RFT its steps, else the last line of its log."""
    metrics = run / name / "log/rerec/rft.jsonl"
    if name in REINFORCED and metrics.is_file():
        steps = metrics.read_bytes().count(b"\n")
        return f"{steps} steps done"
    return _last_line(log)


def _last_line(log: Path) -> str:
    with log.open("rb") as tail:
        tail.seek(max(0, log.stat().st_size - TAIL))
        text = tail.read().decode(errors="replace").replace("\r", "\n")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:LINE_WIDTH] if lines else ""
