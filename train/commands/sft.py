"""`rerec train sft`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.commands.options import ResumeOption

if TYPE_CHECKING:
    from data_engine.graphs.evidence import Evidence
    from data_engine.schema import Example

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def sft(
    store: StoreOption = DEFAULT_STORE,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder of another SFT run to teach on, e.g. with more candidates; "
            "without it, one is made."
        ),
    ] = None,
    run: Annotated[
        Path, typer.Option(help="Run directory to make: untrained/, model/, curve.json.")
    ] = Path("runs/sft"),
    gold_steps: Annotated[int, typer.Option(help="Steps on gold chains.")] = 800,
    mixed_steps: Annotated[int, typer.Option(help="Steps on gold and flawed chains.")] = 350,
    batch: Annotated[int, typer.Option(min=1, help="Examples per step.")] = 32,
    flawed: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of the latter that follow a flawed chain: how hasty the policy is.",
        ),
    ] = 0.5,
    style: Annotated[
        str,
        typer.Option(
            help="open-book; chat: sentences, for chat models; or a dialogue: conversation or "
            "tools, for Examples of those kinds."
        ),
    ] = "open-book",
    also: Annotated[
        list[Path] | None,
        typer.Option(
            help="Store of another catalogue that the policy will be tried on: "
            "its names are known too."
        ),
    ] = None,
    seed: SeedOption = 0,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a tiny policy from scratch and teach it to reason over open-book prompts.

    Example: rerec train sft --store runs/movies.duckdb --run runs/sft
    """
    catalogues = _read([store, *(also or ())])
    from train.sft.lessons import lessons
    from train.sft.run import run_sft
    from train.sft.trainer import SFTConfig
    from train.sft.vocabulary import vocabulary_texts

    evidence, examples = catalogues[0]
    texts: list[str] = []
    for known, asked in catalogues:
        texts += vocabulary_texts(asked, known, style)
    config = SFTConfig(
        gold_steps=gold_steps, mixed_steps=mixed_steps, batch=batch, flawed=flawed, seed=seed
    )
    with progress("SFT", gold_steps + mixed_steps) as advance:
        curve = run_sft(
            run,
            evidence,
            lessons(examples, evidence, style),
            texts,
            config,
            also=[known for known, _ in catalogues[1:]],
            start=model,
            resume=resume,
            progress=lambda step, total, loss: advance(step, total, f"loss {loss:.3f}"),
        )
    steps, loss = curve[-1]
    facts = {"model": str(run / "model"), "examples": len(examples), "steps": steps}
    show({**facts, "loss": round(loss, 4)}, as_json)


def _read(paths: list[Path]) -> "list[tuple[Evidence, list[Example]]]":
    """Evidence and SFT Examples of each store, once. Raises TrainError for one without Examples."""
    from data_engine.graphs.evidence import Evidence
    from data_engine.store.database import Store
    from train.errors import TrainError

    examples = {}
    for path in paths:
        with Store.open(path, read_only=True) as opened:
            examples[path] = opened.examples("sft")
        if not examples[path]:
            raise TrainError(f"{path} holds no SFT Examples: run `rerec synth --store {path}`")
    return [(Evidence.load(path), found) for path, found in examples.items()]
