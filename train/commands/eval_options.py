"""The options of `rerec eval`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from train.evaluation.decoding import Device, Precision

ModelArgument = Annotated[
    str | None,
    typer.Argument(help="Model folder, name on the hub, or with --engine endpoint a name there."),
]
EngineOption = Annotated[
    Literal["hf", "vllm", "endpoint"],
    typer.Option(help="What computes MODEL's responses: transformers, vLLM, or --base-url."),
]
DeviceOption = Annotated[
    Device, typer.Option(help="Of a model folder; auto is a GPU where there is one.")
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="Of a model folder; auto is bf16 on a GPU, fp32 on CPU.")
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        help="Instead of a model: random, popularity, lightgcn or rules (perfect reading)."
    ),
]
AskOption = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Short for MODEL --engine endpoint."),
]
EndpointOption = Annotated[str, typer.Option(help="With --engine endpoint: where it lies.")]
KeyEnvOption = Annotated[
    str,
    typer.Option(help="With --engine endpoint: the environment variable that holds the key."),
]
ConcurrencyOption = Annotated[
    int, typer.Option(min=1, max=1024, help="With --engine endpoint: calls at once.")
]
SplitOption = Annotated[str, typer.Option(help="validation, test or benchmark.")]
QueriesOption = Annotated[
    int | None, typer.Option(help="Only the first N, taken evenly over the split.")
]
OutOption = Annotated[
    Path | None, typer.Option(help="Write summary, responses and provenance as JSON.")
]
TemperatureOption = Annotated[float, typer.Option(min=0, help="0 is greedy.")]
TopPOption = Annotated[
    float,
    typer.Option(
        min=0.001, max=1, help="Draw from the most probable tokens that have this mass together."
    ),
]
SamplesOption = Annotated[
    int,
    typer.Option(min=1, max=1000, help="Responses per query, each by a seed of its own."),
]
MaxTokensOption = Annotated[
    int,
    typer.Option(
        min=16,
        help="A response is cut after so many tokens, or where the model's context ends; "
        "as many as it was trained with.",
    ),
]
StyleOption = Annotated[
    str | None,
    typer.Option(
        help="open-book, closed-book, instructed, open-catalogue, chat; conversation or tools: "
        "a dialogue; by default open-book, with --engine endpoint instructed."
    ),
]
