"""Options that the commands of every room share, so that they are called and explained alike."""

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[Path, typer.Option("--store", help="The DuckDB file of the catalogue.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the facts as one JSON object.")]
SeedOption = Annotated[int, typer.Option(help="Seed of every random draw.")]
DEFAULT_STORE = Path("runs/store.duckdb")
