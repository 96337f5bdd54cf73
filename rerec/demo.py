"""`rerec demo`: the whole journey as a list of rerec commands, one process per stage.

Stages that do not wait for one another run side by side. Finished ones are remembered in the run
directory, so that an interrupted journey goes on where it stopped; the reward server runs for the
stages that need it.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.live import Live

from data_engine.errors import Interrupted, RerecError
from data_engine.runtime.children import POLL_SECONDS
from data_engine.runtime.machine import cores, memory
from data_engine.runtime.run_directory import RunDirectory
from data_engine.runtime.side_by_side import SideBySide
from rerec.demo_table import results_table
from rerec.journey import (
    ASKED,
    HASTY,
    QUICK,
    JourneySize,
    Stage,
    at_once,
    model_folder,
    stages,
    startable,
    to_run,
)
from rerec.parts import PartMissing, lacking
from rerec.watching import Watch, last_line, log_file

demo = typer.Typer(pretty_exceptions_enable=False)


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
    console.print(results_table(run, size.policies))
    report = f"Report: [bold]{run / 'report.html'}[/bold]"
    console.print(
        f"{seconds / 60:.1f} min in all. {report}"
        + ("  (--quick: too small to compare methods)" if quick else "")
    )
    policy = model_folder(run, ASKED)
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
    """Run the stages that are not done yet; returns the seconds that the journey took in all.

    Raises ConfigChanged, JourneyError where a stage fails, Interrupted on SIGTERM and Ctrl-C.
    """
    directory = RunDirectory(run, "journey.json", section="config")
    source = str(data.resolve()) if data else "world"
    record = _begin(directory, {"data": source, "seed": seed, "size": size.model_dump(mode="json")})
    every = list(stages(run, data, size, seed))
    waiting = to_run(every, record["stages"])
    for stage in every:
        if stage not in waiting:
            console.print(f"  [dim]{stage.name:<16} done before[/dim]")
    (run / "logs").mkdir(exist_ok=True)
    before, begun = record.get("seconds", 0.0), time.monotonic()

    def keep() -> None:
        record["seconds"] = before + time.monotonic() - begun
        directory.write_json(directory.record, record)

    with ExitStack() as stack:
        servers = stack.enter_context(ExitStack())  # ends last: runs that are stopped still use it
        commands = stack.enter_context(SideBySide())
        journey = _Journey(run, waiting, commands, servers)
        stack.callback(keep)
        stack.enter_context(Live(console=console, transient=True, get_renderable=journey.view))
        for stage, seconds in journey.ended():
            command = "rerec " + " ".join(stage.arguments)
            record["stages"].pop(stage.name, None)  # in the order in which they ended
            record["stages"][stage.name] = {"seconds": seconds, "command": command}
            keep()
            console.print(f"  [green]✓[/green] {stage.name:<16} {seconds:7.1f} s")
    return float(record["seconds"])


class _Journey:
    """The stages that wait and those that run, as many at a time as this machine can take."""

    def __init__(
        self, run: Path, waiting: list[Stage], commands: SideBySide, servers: ExitStack
    ) -> None:
        self._run, self._commands, self._servers = run, commands, servers
        self._waiting, self._running = waiting, dict[str, Stage]()
        self._starts, self._watch = dict[str, float](), Watch(run)
        self._most = at_once(cores(), memory())

    def view(self) -> RenderableType:
        """What is shown while stages run."""
        return self._watch.view(dict(self._starts))

    def ended(self) -> Iterator[tuple[Stage, float]]:
        """Each stage that has ended well, with its seconds, until none is left."""
        while self._running or self._waiting:
            if not self._commands.stopped:
                self._start_what_can()
            for name, code in self._commands.ended():
                if code and not self._commands.stopped:
                    raise self._failed(name)
                stage, start = self._running.pop(name), self._starts.pop(name)
                if not code:
                    yield stage, round(time.monotonic() - start, 1)
            if self._commands.stopped and not self._running:
                raise Interrupted(
                    f"stopped: run the same command again to go on ({self._run}/logs has the "
                    "last words)"
                )
            time.sleep(POLL_SECONDS)

    def _start_what_can(self) -> None:
        while stage := startable(self._waiting, self._running.values(), self._most):
            self._waiting.remove(stage)
            self._start(stage)

    def _start(self, stage: Stage) -> None:
        arguments = stage.arguments
        if stage.scored:
            if not self._watch.server:
                self._watch.server = self._servers.enter_context(_server(self._run))
            arguments = [*arguments, "--server", self._watch.server]
        others = (*self._waiting, *self._running.values())
        alone = stage.alone or not any(other.trains for other in others)
        threads = cores() if alone else max(1, cores() // self._most)
        self._running[stage.name], self._starts[stage.name] = stage, time.monotonic()
        environment = {"OMP_NUM_THREADS": str(threads)}
        self._commands.start(stage.name, arguments, log_file(self._run, stage.name), environment)

    def _failed(self, name: str) -> JourneyError:
        log = log_file(self._run, name)
        return JourneyError(
            f"stage {name} failed ({last_line(log)}); its log is {log}; "
            "run the same command again to retry from there"
        )


def _begin(directory: RunDirectory, config: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the run: a new one, or the one to go on with. Raises ConfigChanged."""
    from data_engine.runtime.provenance import provenance

    directory.check(config)
    record = directory.known()
    if record is None:
        record = dict(provenance(config=config, hasty=HASTY, stages={}))
        directory.write_json(directory.record, record)
    return record


def _server(run: Path) -> AbstractContextManager[str]:
    from reward_server.local import local_server

    return local_server(run / "store.duckdb", run / "logs/serve.log")
