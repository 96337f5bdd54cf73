"""`rerec synth`."""

from pathlib import Path
from typing import Annotated

import typer

from data_engine.console import progress, show
from data_engine.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

synth = typer.Typer(pretty_exceptions_enable=False)


@synth.command()
def _synth(
    store: StoreOption = DEFAULT_STORE,
    sft: Annotated[int, typer.Option(help="Examples of the SFT split.")] = 20000,
    rl: Annotated[int, typer.Option(help="Examples of the RL split.")] = 1600,
    validation: Annotated[int, typer.Option(help="Examples of the validation split.")] = 400,
    test: Annotated[int, typer.Option(help="Examples of the test split.")] = 800,
    kinds: Annotated[
        str, typer.Option(help="Comma-separated: explicit, implicit, misinformed, interest.")
    ] = "explicit,implicit,misinformed,interest",
    candidates: Annotated[int, typer.Option(help="Items to choose from in each query, gold included.")] = 6,
    out: Annotated[Path | None, typer.Option(help="Also write a verl parquet a split into this folder.")] = None,
    workers: Annotated[int, typer.Option(help="Processes; the rows are the same for any number.")] = 2,
    seed: SeedOption = 0,
    show_examples: Annotated[int, typer.Option("--show", help="Print the first N Examples of the store instead of making any.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Synthesise Examples into the store, each proven on the graph; the old ones are replaced at the end.

    Example: rerec synth --store runs/movies.duckdb --sft 2000 --rl 200 --validation 100 --test 200 --seed 1
    """
    from collections import Counter

    from pydantic import ValidationError

    from agents.run import SynthConfig, synthesise
    from data_engine.errors import DataError
    from data_engine.schema import SPLITS
    from data_engine.store import Store

    if show_examples:
        with Store.open(store, read_only=True) as opened:
            for example in opened.examples(limit=show_examples):
                print(example.model_dump_json(indent=None if as_json else 1))
        return
    counts = dict(zip(SPLITS, (sft, rl, validation, test), strict=True))
    try:
        config = SynthConfig(counts=counts, kinds=tuple(k.strip() for k in kinds.split(",")), candidates=candidates, seed=seed, workers=workers)
    except ValidationError as error:
        problem = error.errors()[0]
        raise DataError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']} (got {problem['input']!r})") from error
    with progress("synth") as tell:
        examples = synthesise(store, config, tell)
    with Store.open(store) as opened:
        opened.replace_examples(examples)
    if out:
        _write(out, examples)
    show({"examples": len(examples), "splits": dict(Counter(e.split for e in examples)), "kinds": dict(Counter(e.kind for e in examples))}, as_json)


def _write(out: Path, examples: list) -> None:
    """A whole-record parquet for each split; the prompt is the bare query (train renders its own)."""
    from data_engine.parquet import write_verl
    from data_engine.schema import SPLITS

    for split in SPLITS:
        chosen = [e for e in examples if e.split == split]
        if chosen:
            write_verl(out / f"{split}.parquet", chosen, [e.query for e in chosen], whole=True)
