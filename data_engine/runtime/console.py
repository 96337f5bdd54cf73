"""How commands speak: facts as a table or as JSON on standard output, progress on standard
error.
"""

import json
import sys
from collections.abc import Callable, Iterator
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
        table.add_row(
            key,
            ", ".join(f"{k} {v}" for k, v in value.items())
            if isinstance(value, dict)
            else str(value),
        )
    Console().print(table)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress line on standard error; call the yielded function with (done, total, note). Plain
    lines where there is no terminal.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total=total, note="": print(
            f"{label} {done}/{total or '?'} {note}", file=sys.stderr, flush=True
        )
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
        yield lambda done, total=total, note="": bar.update(
            task, completed=done, total=total, note=note
        )
