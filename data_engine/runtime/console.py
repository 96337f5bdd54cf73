"""How commands speak: facts as a table or as JSON on standard output, progress on standard
error.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from data_engine.runtime.progress import ReportProgress


def show(facts: dict[str, object], as_json: bool, title: str = "") -> None:
    """Print facts, one a line, or one JSON object."""
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, default=str))
        return
    table = Table(title=title or None, show_header=False, title_justify="left")
    for key, value in facts.items():
        table.add_row(
            key,
            ", ".join(f"{k} {v}" for k, v in value.items())
            if isinstance(value, dict)
            else str(value),
        )
    Console().print(table)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[ReportProgress]:
    """A progress line on standard error while the block runs; plain lines where there is no
    terminal. The yielded function moves it; `total` is what it counts to unless told otherwise.
    """
    console, expected = Console(stderr=True), total
    if not console.is_terminal:

        def print_line(done: int, total: int | None = None, note: str = "") -> None:
            print(f"{label} {done}/{total or expected or '?'} {note}", file=sys.stderr, flush=True)

        yield print_line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(label, total=total, note="")

        def move(done: int, total: int | None = None, note: str = "") -> None:
            bar.update(task, completed=done, total=total or expected, note=note)

        yield move
