"""`rerec train sft`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.lean_transformers import import_transformers
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.commands.options import ResumeOption

if TYPE_CHECKING:
    from data_engine.graphs.evidence import Evidence
    from data_engine.schema import Example
    from train.sft.config import SFTConfig

TINY = ("gold_steps", "mixed_steps", "flawed", "also")  # options of the tiny policy alone
CHAT = (
    "steps",
    "lora_rank",
    "learning_rate",
    "save_every",
    "eval_queries",
    "eval_every",
    "precision",
    "answer_weight",
)  # of chat models

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def sft(
    context: typer.Context,
    store: StoreOption = DEFAULT_STORE,
    model: Annotated[
        str | None,
        typer.Option(
            help="What to teach on: the folder or hub name of a chat model, or model/ of another "
            "run's tiny policy. Without it, a tiny policy is made."
        ),
    ] = None,
    run: Annotated[Path, typer.Option(help="Run directory to make: model/, curve.json.")] = Path(
        "runs/sft"
    ),
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Examples per step; by default 32, for a chat model without a GPU 8."
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="open-book; chat: sentences, for chat models; or a dialogue: conversation or "
            "tools, for Examples of those kinds. By default open-book, for a chat model chat."
        ),
    ] = None,
    gold_steps: Annotated[int, typer.Option(help="Tiny policy: steps on gold chains.")] = 800,
    mixed_steps: Annotated[
        int, typer.Option(help="Tiny policy: steps on gold and flawed chains.")
    ] = 350,
    flawed: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Tiny policy: share of the latter that follow a flawed chain: how hasty it is.",
        ),
    ] = 0.5,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tiny policy: store of another catalogue that it will be tried on: "
            "its names are known too."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Chat model: steps; by default once over the lessons, on CPU over 600."
        ),
    ] = None,
    lora_rank: Annotated[
        int, typer.Option(min=0, help="Chat model: rank of a LoRA adapter; 0 trains all weights.")
    ] = 0,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Chat model: the highest; by default 1e-4, from a billion parameters on 1e-5, "
            "with an adapter 3e-4."
        ),
    ] = None,
    save_every: Annotated[
        int,
        typer.Option(
            min=1, help="Chat model: steps between checkpoints, each with the held-out loss."
        ),
    ] = 25,
    eval_queries: Annotated[
        int, typer.Option(min=0, help="Chat model: validation queries asked for the NDCG.")
    ] = 32,
    eval_every: Annotated[
        int | None,
        typer.Option(
            min=1, help="Chat model: steps between NDCGs; without it there is one at the end."
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Chat model: bf16 or fp32 arithmetic, with weights in fp32; by default bf16 on a "
            "GPU. CPUs with AMX are several times faster in bf16."
        ),
    ] = None,
    answer_weight: Annotated[
        float,
        typer.Option(
            min=1,
            max=100,
            help="Chat model: weight in the loss of an answer's tokens, a few among hundreds.",
        ),
    ] = 1.0,
    seed: SeedOption = 0,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Teach a policy to reason by the store's chains: a tiny one made from scratch, or the chat \
model of --model.

    Example: rerec train sft --store runs/movies.duckdb --run runs/sft
    """
    is_chat = model is not None and _is_chat_model(model)
    _refuse_foreign(context, is_chat)
    if is_chat:
        from train.commands.sft_chat import teach_chat_model

        given = {name: context.params[name] for name in (*CHAT, "model", "batch", "seed")}
        facts = teach_chat_model(store, run, {**given, "style": style or "chat"}, resume=resume)
        show(facts, as_json)
        return
    from train.sft.config import SFTConfig

    config = SFTConfig(
        gold_steps=gold_steps, mixed_steps=mixed_steps, batch=batch or 32, flawed=flawed, seed=seed
    )
    start = None if model is None else Path(model)
    tiny = _teach_tiny([store, *(also or ())], run, config, style or "open-book", start, resume)
    show(tiny, as_json)


def _is_chat_model(model: str) -> bool:
    """Whether it is another model than a tiny policy of ours."""
    from train.sft.config import ENTITIES

    return not (Path(model) / ENTITIES).is_file()


def _refuse_foreign(context: typer.Context, is_chat: bool) -> None:
    """Raises TrainError for an option that the kind of model would ignore."""
    from train.errors import TrainError

    for name in TINY if is_chat else CHAT:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            option = f"--{name.replace('_', '-')}"
            others = ", ".join(
                f"--{other.replace('_', '-')}" for other in (CHAT if is_chat else TINY)
            )
            kind = "a chat model" if is_chat else "a tiny policy"
            raise TrainError(
                f"{option} means nothing for {kind}, which takes {others}"
                + ("" if is_chat else ": leave it out, or give a chat model as --model")
            )


def _teach_tiny(
    stores: list[Path],
    run: Path,
    config: "SFTConfig",
    style: str,
    start: Path | None,
    resume: bool,
) -> dict[str, object]:
    """Train a tiny policy on the first store's Examples; the facts to show."""
    catalogues = _read(stores)  # before torch is imported
    import_transformers()

    from train.sft.lessons import lessons
    from train.sft.run import run_sft
    from train.sft.vocabulary import vocabulary_texts

    evidence, examples = catalogues[0]
    texts: list[str] = []
    for known, asked in catalogues:
        texts += vocabulary_texts(asked, known, style)
    with progress("SFT", config.gold_steps + config.mixed_steps) as advance:
        curve = run_sft(
            run,
            evidence,
            lessons(examples, evidence, style),
            texts,
            config,
            also=[known for known, _ in catalogues[1:]],
            start=start,
            resume=resume,
            progress=lambda step, total, loss: advance(step, total, f"loss {loss:.3f}"),
        )
    steps, loss = curve[-1]
    facts = {"model": str(run / "model"), "examples": len(examples), "steps": steps}
    return {**facts, "loss": round(loss, 4)}


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
