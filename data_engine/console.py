"""How commands speak: facts as a table or as JSON on standard output, progress on standard error."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def show(facts: dict[str, object], as_json: bool, title: str = "") -> None:
    """Print facts, one a line, or one JSON object."""
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, default=str))
        return
    table = Table(title=title or None, show_header=False, title_justify="left")
    for key, value in facts.items():
        table.add_row(key, ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value))
    Console().print(table)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[object]:
    """A progress line on standard error; call the yielded function with (done, total, note)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(label, total=total, note="")

        def update(done: int, total: int | None = total, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield update
