"""`rerec synth` and `rerec synth report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

if TYPE_CHECKING:
    from agents.synthesis.run import Made

synth = typer.Typer(pretty_exceptions_enable=False, invoke_without_command=True)


@synth.callback()
def _synth(
    context: typer.Context,
    store: StoreOption = DEFAULT_STORE,
    sft: Annotated[int, typer.Option(help="Examples of the SFT split.")] = 20000,
    rl: Annotated[int, typer.Option(help="Examples of the RL split.")] = 1600,
    validation: Annotated[int, typer.Option(help="Examples of the validation split.")] = 400,
    test: Annotated[int, typer.Option(help="Examples of the test split.")] = 800,
    kinds: Annotated[
        str,
        typer.Option(
            help="Comma-separated: explicit, implicit, misinformed, interest, demographics, negation, numeric, comparison, conversation, tools."
        ),
    ] = "explicit,implicit,misinformed,interest",
    levels: Annotated[
        str, typer.Option(help="Difficulties, in turn: 1 easy, 2 usual, 3 hard; comma-separated.")
    ] = "2",
    candidates: Annotated[
        int, typer.Option(help="Items to choose from in each query, gold included.")
    ] = 6,
    writer: Annotated[
        str,
        typer.Option(
            help="template (a grammar), terse (one phrasing a kind) or chat (a language model)."
        ),
    ] = "template",
    base_url: Annotated[
        str, typer.Option(help="Chat: the OpenAI-compatible endpoint.")
    ] = "http://127.0.0.1:8000/v1",
    model: Annotated[str | None, typer.Option(help="Chat: the writer's model.")] = None,
    critic: Annotated[
        str | None, typer.Option(help="Chat: the critic's model, if another; '' for no critic.")
    ] = None,
    labeller: Annotated[
        str, typer.Option(help="Chat: a model that phrases the reasoning steps; none by default.")
    ] = "",
    key_env: Annotated[
        str, typer.Option(help="Chat: the environment variable that holds the key.")
    ] = "OPENAI_API_KEY",
    concurrency: Annotated[int, typer.Option(help="Chat: calls at once.")] = 16,
    timeout: Annotated[float, typer.Option(help="Chat: seconds to wait for an answer.")] = 60.0,
    per_minute: Annotated[int | None, typer.Option(help="Chat: calls a minute at most.")] = None,
    budget_tokens: Annotated[
        int | None, typer.Option(help="Chat: stop before this many tokens are used.")
    ] = None,
    budget_money: Annotated[
        float | None, typer.Option(help="Chat: stop before this much is spent; needs the prices.")
    ] = None,
    price_in: Annotated[float, typer.Option(help="Chat: price of a million prompt tokens.")] = 0.0,
    price_out: Annotated[
        float, typer.Option(help="Chat: price of a million answered tokens.")
    ] = 0.0,
    replay: Annotated[
        bool, typer.Option("--replay", help="Chat: only recorded answers, no call.")
    ] = False,
    checkpoints: Annotated[
        str | None,
        typer.Option(
            help="Chat: a postgresql:// URL for checkpoints; SQLite beside the store by default."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write a verl parquet a split into this folder.")
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes; the rows are the same for any number.")
    ] = 2,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray", help="Workers are tasks of a Ray cluster (RAY_ADDRESS, else this machine)."
        ),
    ] = False,
    seed: SeedOption = 0,
    show_examples: Annotated[
        int,
        typer.Option(
            "--show", help="Print the first N Examples of the store instead of making any."
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Synthesise Examples into the store, each proven on the graph; the old ones are replaced at the end. A run cut short goes on where it was.

    Example: rerec synth --store runs/movies.duckdb --sft 2000 --rl 200 --validation 100 --test 200 --seed 1
    """
    if context.invoked_subcommand:
        return
    from collections import Counter

    from pydantic import ValidationError

    from agents.llm.config import ChatConfig
    from agents.synthesis.run import SynthConfig, synthesise
    from data_engine.errors import DataError
    from data_engine.schema import SPLITS
    from data_engine.store.database import Store

    if show_examples:
        with Store.open(store, read_only=True) as opened:
            for example in opened.examples(limit=show_examples):
                print(example.model_dump_json(indent=None if as_json else 1))
        return
    counts = dict(zip(SPLITS, (sft, rl, validation, test), strict=True))
    asked = {
        "base_url": base_url,
        "writer": model or "",
        "critic": critic,
        "labeller": labeller,
        "key_env": key_env,
        "concurrency": concurrency,
        "timeout": timeout,
        "per_minute": per_minute,
        "budget_tokens": budget_tokens,
        "budget_money": budget_money,
        "price_in": price_in,
        "price_out": price_out,
        "replay": replay,
    }
    try:
        config = SynthConfig(
            counts=counts,
            kinds=_words(kinds),
            levels=_words(levels),
            candidates=candidates,
            writer=writer,
            chat=ChatConfig(**asked) if writer == "chat" else None,
            seed=seed,
            workers=workers,
            ray=ray,
            checkpoints=checkpoints,
        )
    except ValidationError as error:
        problem = error.errors()[0]
        where = (
            ".".join(map(str, problem["loc"])).replace("writer", "model (--model)")
            if writer == "chat"
            else ".".join(map(str, problem["loc"]))
        )
        raise DataError(f"{where}: {problem['msg']} (got {problem['input']!r})") from error
    with progress("synth") as tell:
        examples = synthesise(store, config, tell)
    with Store.open(store) as opened:
        opened.replace_examples(examples)
    if out:
        _write(out, examples)
    splits, kinds_made = Counter(), Counter()
    for (split, kind), count in examples.lanes.items():
        splits[split] += count
        kinds_made[kind] += count
    show({"examples": len(examples), "splits": dict(splits), "kinds": dict(kinds_made)}, as_json)


@synth.command("report")
def _report(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Show the last run's yield, reasons of rejection, cost of each verified Example, and variety.

    Example: rerec synth report --store runs/movies.duckdb
    """
    from agents.synthesis.ledger import Ledger
    from agents.synthesis.report import summarise
    from agents.synthesis.run import ledger_path
    from data_engine.errors import DataError

    path = ledger_path(store)
    if not path.is_file():
        raise DataError(
            f"no synthesis run is on record for {store}: run `rerec synth --store {store}` first"
        )
    with Ledger(path) as ledger:
        show(summarise(ledger), as_json)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _write(out: Path, examples: "Made") -> None:
    """A whole-record parquet for each split; the prompt is the bare query (train renders its own)."""
    from data_engine.datasets.parquet import write_whole
    from data_engine.schema import SPLITS

    for split in SPLITS:
        chosen = [e for e in examples if e.split == split]
        if chosen:
            write_whole(out / f"{split}.parquet", chosen)
