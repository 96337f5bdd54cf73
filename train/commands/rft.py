"""`rerec train rft`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.commands.options import ResumeOption, ServerOption

if TYPE_CHECKING:
    from train.rft.compose import RFTConfig

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def rft(
    recipe: Annotated[
        str, typer.Argument(help="One of train/recipes, e.g. tiny-rerec, or a file, ./NAME.yaml.")
    ],
    store: StoreOption = DEFAULT_STORE,
    model: Annotated[
        str | None,
        typer.Option(help="Model folder to start from; without it, the model the recipe names."),
    ] = None,
    run: Annotated[
        Path, typer.Option(help="Run directory: data/, checkpoints/, log/, model/.")
    ] = Path("runs/rft"),
    server: ServerOption = None,
    queries: Annotated[
        int | None,
        typer.Option(
            help="Learn from N RL queries, taken evenly over the split; "
            "without it from all, with a curriculum from N it can repeat."
        ),
    ] = None,
    lora_rank: Annotated[
        int,
        typer.Option(
            min=0,
            help="Rank of a LoRA adapter, at ten times the recipe's learning rate; "
            "0 trains what the recipe says.",
        ),
    ] = 0,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hydra override, e.g. trainer.total_training_steps=60."),
    ] = None,
    seed: SeedOption = 0,
    resume: ResumeOption = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Compose and validate, look at model, prompts, server and memory; train nothing.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Reinforcement fine-tuning through verl on Ray, scored by the reward server.

    Example: rerec train rft tiny-rerec --store runs/movies.duckdb --model runs/sft/model \
--run runs/rerec --seed 1
    """
    from data_engine.store.database import Store
    from train.rft.compose import RFTConfig, compose
    from train.rft.run import train as run_recipe

    config = RFTConfig(
        recipe=recipe,
        run=run,
        model=model,
        server=server,
        seed=seed,
        overrides=tuple(override or ()),
        most_queries=queries,
        lora_rank=lora_rank,
    )
    if dry_run:
        _dry_run(store, config, as_json)
        return
    compose(config, "")  # what is wrong with it is said before a store is read
    with Store.open(store, read_only=True) as opened:
        examples = {split: opened.examples(split) for split in ("rl", "validation")}
    show({"model": str(run_recipe(store, examples, config, resume=resume))}, as_json)


def _dry_run(store: Path, config: "RFTConfig", as_json: bool) -> None:
    """Print the composed configuration, every check and the command.

    Raises TrainError for checks that fail.
    """
    from omegaconf import OmegaConf

    from train.errors import TrainError
    from train.rft.compose import dry_run
    from train.rft.preflight import preflight
    from train.rft.run import command

    composed = dry_run(config)
    if as_json:
        print(json.dumps(OmegaConf.to_container(composed, resolve=True)))
    else:
        print(OmegaConf.to_yaml(composed, resolve=True))
    checks = preflight(composed, store)
    verdicts = {None: "not checked", True: "fine", False: "WRONG"}
    for check in checks:
        typer.echo(f"{verdicts[check.passed]}: {check.name}: {check.message}", err=True)
    if wrong := [check for check in checks if check.passed is False]:
        raise TrainError("; ".join(f"{check.name}: {check.message}" for check in wrong))
    typer.echo(f"the command: {command(store, config)}", err=True)
