"""`rerec train export`."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, StoreOption

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Folder to write SPLIT.parquet and SPLIT.jsonl to.")],
    store: StoreOption = DEFAULT_STORE,
    style: Annotated[
        str,
        typer.Option(
            help="How queries are asked: chat and instructed show facts, closed-book titles only."
        ),
    ] = "chat",
    tools: Annotated[
        bool,
        typer.Option("--tools", help="Offer the look-ups as tools (JSONL); with closed-book."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the store's queries for another trainer: prompts, ids and the graph's digest, no gold.

    Example: rerec train export runs/dataset --store runs/movies.duckdb --style chat
    """
    from data_engine.graphs.evidence import Evidence
    from data_engine.schema import SPLITS
    from data_engine.store.database import Store
    from train.tasks.export import export as write

    with Store.open(store, read_only=True) as opened:
        examples = {split: opened.examples(split) for split in SPLITS}
    rows = write(examples, Evidence.load(store), out, style, tools)
    follow = f"rerec data card {out} --store {store}"
    show({"folder": str(out), "rows": rows, "next": follow}, as_json)
