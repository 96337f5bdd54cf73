"""`rerec data card`, `push`, `fetch`, `subset` and `export-graph`: files for and from elsewhere."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from data_engine.commands.imports import import_into
from data_engine.errors import DataError
from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, StoreOption


def card(
    out: Annotated[
        Path,
        typer.Argument(
            help="Folder of the card; splits written there by `rerec synth --out` are named in it."
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    licence: Annotated[
        str, typer.Option(help="Hugging Face identifier of the data's licence: only you know it.")
    ] = "unknown",
    as_json: JsonOption = False,
) -> None:
    """Write a dataset card (README.md, Hugging Face format) with statistics, provenance and plots.

    Example: rerec data card runs/dataset --store runs/movies.duckdb --licence other
    """
    from data_engine.datasets.dataset_card import write_card

    splits = [path.stem for path in out.glob("*.parquet")]
    show(
        {
            "card": str(write_card(store, out, licence, splits)),
            "splits": ", ".join(sorted(splits)) or "none",
        },
        as_json,
    )


def push(
    repo: Annotated[
        str, typer.Argument(help="Data set on the Hugging Face hub: NAME or ORG/NAME.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder with splits and their card.")],
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may read a data set made by this.")
    ] = True,
    with_gold: Annotated[
        bool,
        typer.Option("--with-gold", help="Push files that hold gold, as `synth --out` writes."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Upload splits and their card to the Hugging Face hub. The token is HF_TOKEN.

    Example: rerec data push ORG/films runs/dataset --public
    """
    from data_engine.datasets.hub import push as upload

    show({"commit": upload(folder, repo, private, with_gold)}, as_json)


def fetch(
    name: Annotated[
        str,
        typer.Argument(help="ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m or ml-latest-small."),
    ],
    folder: Annotated[Path, typer.Option(help="Where data sets are kept.")] = Path("data"),
    as_json: JsonOption = False,
) -> None:
    """Download a known data set, check it and unpack it.

    Run it again to go on after an interruption.

    Example: rerec data fetch ml-1m --folder data
    """
    from data_engine.importers.fetch import KNOWN
    from data_engine.importers.fetch import fetch as download

    with progress(f"fetch {name}") as report:
        path = download(name, folder, progress=report)
    show(
        {"folder": str(path), "terms": KNOWN[name].terms, "next": f"{KNOWN[name].command} {path}"},
        as_json,
    )


def subset(
    out: Annotated[Path, typer.Argument(help="The store to write.")],
    store: StoreOption = DEFAULT_STORE,
    core: Annotated[
        int,
        typer.Option(
            min=1, help="Keep users and items with at least this many interactions (k-core)."
        ),
    ] = 1,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day of the interactions to keep."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day not to keep.")
    ] = None,
    relations: Annotated[
        str | None,
        typer.Option(help="Comma-separated: the relations of the attribute graph to keep."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a part of a catalogue into another store.

    Example: rerec data subset runs/core.duckdb --store runs/ml1m.duckdb --core 10
    """
    from data_engine.datasets.subset import Subset

    if out.resolve() == store.resolve():
        raise DataError(f"{out} is the store to read from: give another to write to")
    kept = tuple(word.strip() for word in relations.split(",")) if relations else None
    window = {"since": since.date() if since else None, "until": until.date() if until else None}
    import_into(Subset(path=store, core=core, relations=kept, **window), out, as_json)


def export_graph(
    out: Annotated[
        Path,
        typer.Argument(
            help="File to write: .graphml, .gexf, .parquet (edges) or .pt (PyTorch Geometric, "
            "both graphs)."
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    item: Annotated[
        str | None, typer.Option(help="Only the neighbourhood of this item id (.graphml, .gexf).")
    ] = None,
    hops: Annotated[int, typer.Option(min=1, help="How far the neighbourhood reaches.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Write the graphs for another tool.

    The item–attribute graph, whole or around one item, or both graphs as tensors.

    Example: rerec data export-graph heat.graphml --store runs/movies.duckdb --item 6 --hops 2
    """
    from data_engine.graphs.export import export_graph as write
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened:
        show(write(opened, out, item, hops), as_json)
