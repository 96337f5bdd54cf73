"""`rerec train compare`."""

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from train.evaluation.compare import Summary

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def compare(
    model: Annotated[Path, typer.Option(help="Model folder that all start from.")],
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            "--recipes",
            help="Comma-separated recipes; "
            "-raae, -qas, -pas, -curriculum after one leaves that out.",
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    seeds: Annotated[str, typer.Option(help="Comma-separated.")] = "0,1,2",
    run: Annotated[
        Path, typer.Option(help="Directory of the matrix: METHOD/SEED/, comparison.html.")
    ] = Path("runs/compare"),
    split: Annotated[str, typer.Option(help="validation or test.")] = "validation",
    queries: Annotated[
        int | None,
        typer.Option(min=1, help="Learn from N RL queries, taken evenly over the split."),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="Hydra override for every cell. May be given often."),
    ] = None,
    cores: Annotated[
        int | None,
        typer.Option(
            "--ray",
            metavar="CORES",
            help="On Ray (RAY_ADDRESS, else this machine), a cell on so many cores.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train every method with every seed from one start and compare them, paired by seed with \
the first. Run it again to go on.

    Example: rerec train compare --model runs/sft/model \
--methods tiny-grpo,tiny-rerec,tiny-rerec-raae,tiny-rerec-qas,tiny-rerec-pas --seeds 0,1,2
    """
    names, numbers = _words(methods), _words(seeds)
    _check(names, numbers, split, model)
    from train.errors import TrainError
    from train.evaluation.compare import run_matrix
    from train.evaluation.matrix import CompareConfig

    config = CompareConfig(
        store=store.resolve(),
        model=model.resolve(),
        methods=names,
        seeds=tuple(map(int, numbers)),
        split=split,
        queries=queries,
        overrides=tuple(override or ()),
        cores=cores,
    )
    with progress("compare", len(names) * len(numbers)) as advance:
        done = count(1)

        def on_cell(name: str, seed: int, outcome: str) -> None:
            advance(next(done), note=f"{name} seed {seed}: {outcome}")

        found = run_matrix(run, config, on_cell)
    _print(found, run, config.split, as_json)
    if failed := found["failed"]:
        raise TrainError(
            f"{len(failed)} cells failed, run the same command again to retry them: "
            f"{'; '.join(failed.values())}"
        )


def _words(text: str) -> tuple[str, ...]:
    """The different words between commas."""
    words = [word.strip() for word in text.split(",")]
    return tuple(dict.fromkeys(word for word in words if word))


def _check(names: tuple[str, ...], seeds: tuple[str, ...], split: str, model: Path) -> None:
    """Raises TrainError for options that make no matrix."""
    from train.errors import TrainError

    whole = bool(seeds) and all(seed.isdigit() for seed in seeds)
    if not names or not whole or split not in ("validation", "test"):
        raise TrainError(
            "give --methods and whole --seeds separated by commas, and --split validation or test"
        )
    if not (model / "config.json").is_file():
        raise TrainError(
            f"no model folder at {model}: make one with `rerec train sft` and give its model/"
        )


def _print(found: "Summary", run: Path, split: str, as_json: bool) -> None:
    from train.evaluation.comparison import ALL, in_words

    if as_json:
        shown = {"table": found["table"], "costs": found["costs"], "failed": found["failed"]}
        print(json.dumps(shown))
        return
    first = next(iter(found["table"]))
    rows: dict[str, object] = {name: in_words(by[ALL]) for name, by in found["table"].items()}
    title = f"NDCG@1 on {split}; differences from {first}, p adjusted for all of them (Holm)"
    show({**rows, "report": run / "comparison.html"}, False, title)
