"""`rerec train sft|rft|compare`, `rerec eval`, `rerec report`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.sequential.commands import next_item, told

train = typer.Typer(
    no_args_is_help=True,
    help="Fine-tune a policy: sft, then rft; compare methods.",
    pretty_exceptions_enable=False,
)
evaluate = typer.Typer(pretty_exceptions_enable=False)
report = typer.Typer(pretty_exceptions_enable=False)
train.add_typer(next_item)


@train.command()
def sft(
    store: StoreOption = DEFAULT_STORE,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder of another SFT run to teach on, e.g. with more candidates; without it, one is made."
        ),
    ] = None,
    run: Annotated[
        Path, typer.Option(help="Run directory to make: untrained/, model/, curve.json.")
    ] = Path("runs/sft"),
    gold_steps: Annotated[int, typer.Option(help="Steps on gold chains.")] = 800,
    mixed_steps: Annotated[int, typer.Option(help="Steps on gold and flawed chains.")] = 350,
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
            help="open-book; or a dialogue: conversation or tools, for Examples of those kinds."
        ),
    ] = "open-book",
    also: Annotated[
        list[Path] | None,
        typer.Option(
            help="Store of another catalogue that the policy will be tried on: its names are known too."
        ),
    ] = None,
    seed: SeedOption = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint of --run.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a tiny policy from scratch and teach it to reason over open-book prompts.

    Example: rerec train sft --store runs/movies.duckdb --run runs/sft
    """
    from data_engine.graphs.evidence import Evidence
    from data_engine.store.database import Store
    from train.errors import TrainError

    found = {}
    for path in (store, *(also or ())):
        with Store.open(path, read_only=True) as opened:
            found[path] = opened.examples("sft")
        if not found[path]:
            raise TrainError(f"{path} holds no SFT Examples: run `rerec synth --store {path}`")
    from train.sft.run import run_sft, words_of
    from train.sft.training import SFTConfig, lessons  # torch takes seconds to import

    examples = found[store]
    config = SFTConfig(gold_steps=gold_steps, mixed_steps=mixed_steps, flawed=flawed, seed=seed)
    evidence, *others = (Evidence.load(path) for path in found)
    texts = [
        text
        for known, asked in zip((evidence, *others), found.values(), strict=True)
        for text in words_of(asked, known, style)
    ]
    with progress("SFT", gold_steps + mixed_steps) as tell:
        told = lambda step, total, loss: tell(step, total, f"loss {loss:.3f}")  # noqa: E731
        taught = lessons(examples, evidence, style)
        curve = run_sft(
            run,
            evidence,
            taught,
            texts,
            config,
            also=others,
            start=model,
            resume=resume,
            progress=told,
        )
    show(
        {
            "model": str(run / "model"),
            "examples": len(examples),
            "steps": curve[-1][0],
            "loss": round(curve[-1][1], 4),
        },
        as_json,
    )


@train.command()
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
    server: Annotated[
        str | None,
        typer.Option(
            help="URL of a running reward server; without it, one is started for this command."
        ),
    ] = None,
    queries: Annotated[
        int | None,
        typer.Option(
            help="Learn from N RL queries, taken evenly over the split; without it from all, with a curriculum from N it can repeat."
        ),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hydra override, e.g. trainer.total_training_steps=60."),
    ] = None,
    seed: SeedOption = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint of --run.")
    ] = False,
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

    Example: rerec train rft tiny-rerec --store runs/movies.duckdb --model runs/sft/model --run runs/rerec --seed 1
    """
    from data_engine.store.database import Store
    from train.errors import TrainError
    from train.rft import run as runner

    config = runner.RFTConfig(
        recipe=recipe,
        run=run,
        model=model,
        server=server,
        seed=seed,
        overrides=tuple(override or ()),
        most_queries=queries,
    )
    if dry_run:
        from omegaconf import OmegaConf

        from train.rft.preflight import preflight

        composed = runner.dry_run(config)
        print(
            OmegaConf.to_yaml(composed, resolve=True)
            if not as_json
            else json.dumps(OmegaConf.to_container(composed, resolve=True))
        )
        checks = preflight(composed, store)
        for check in checks:
            typer.echo(
                f"{'not checked' if check.fine is None else 'fine' if check.fine else 'WRONG'}: {check.what}: {check.says}",
                err=True,
            )
        if wrong := [check for check in checks if check.fine is False]:
            raise TrainError("; ".join(f"{check.what}: {check.says}" for check in wrong))
        typer.echo(f"the command: {runner.command(store, config)}", err=True)
        return
    runner.compose(config, "")  # what is wrong with it is told before a store is read
    with Store.open(store, read_only=True) as opened:
        examples = {split: opened.examples(split) for split in ("rl", "validation")}
    show({"model": str(runner.train(store, examples, config, resume=resume))}, as_json)


@train.command()
def compare(
    model: Annotated[Path, typer.Option(help="Model folder that all start from.")],
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            "--recipes",
            help="Comma-separated recipes; -raae, -qas, -pas, -curriculum after one leaves that out.",
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
    """Train every method with every seed from one start and compare them, paired by seed with the first. Run it again to go on.

    Example: rerec train compare --model runs/sft/model --methods tiny-grpo,tiny-rerec,tiny-rerec-raae,tiny-rerec-qas,tiny-rerec-pas --seeds 0,1,2
    """
    from train.errors import TrainError
    from train.evaluation.compare import CompareConfig, run_matrix
    from train.evaluation.comparison import ALL

    names, numbers = (
        tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
        for text in (methods, seeds)
    )
    if (
        not names
        or not numbers
        or not all(n.isdigit() for n in numbers)
        or split not in ("validation", "test")
    ):
        raise TrainError(
            "give --methods and whole --seeds separated by commas, and --split validation or test"
        )
    if not (model / "config.json").is_file():
        raise TrainError(
            f"no model folder at {model}: make one with `rerec train sft` and give its model/"
        )
    matrix = {
        "store": store.resolve(),
        "model": model.resolve(),
        "methods": names,
        "seeds": tuple(map(int, numbers)),
    }
    config = CompareConfig(
        **matrix, split=split, queries=queries, overrides=tuple(override or ()), cores=cores
    )
    with progress("compare", len(names) * len(numbers)) as tell:
        done = iter(range(1, len(names) * len(numbers) + 1))
        found = run_matrix(
            run,
            config,
            lambda name, seed, what: tell(next(done), note=f"{name} seed {seed}: {what}"),
        )
    if as_json:
        print(json.dumps({key: found[key] for key in ("table", "costs", "failed")}))
    else:
        title = f"NDCG@1 on {split}; differences from {names[0]}, p adjusted for all of them (Holm)"
        show(
            {name: told(kinds[ALL]) for name, kinds in found["table"].items()}
            | {"report": run / "comparison.html"},
            False,
            title,
        )
    if found["failed"]:
        raise TrainError(
            f"{len(found['failed'])} cells failed, run the same command again to retry them: {'; '.join(found['failed'].values())}"
        )


@evaluate.command()
def _evaluate(
    model: Annotated[Path | None, typer.Argument(help="Model folder.")] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="Instead of a model: random, popularity, lightgcn or rules (perfect reading)."
        ),
    ] = None,
    ask: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Instead: a model behind an OpenAI-compatible endpoint."
        ),
    ] = None,
    base_url: Annotated[
        str, typer.Option(help="With --ask: the endpoint.")
    ] = "http://127.0.0.1:8000/v1",
    key_env: Annotated[
        str, typer.Option(help="With --ask: the environment variable that holds the key.")
    ] = "OPENAI_API_KEY",
    concurrency: Annotated[
        int, typer.Option(min=1, max=1024, help="With --ask: calls at once.")
    ] = 16,
    store: StoreOption = DEFAULT_STORE,
    split: Annotated[str, typer.Option(help="validation, test or benchmark.")] = "validation",
    queries: Annotated[
        int | None, typer.Option(help="Only the first N, taken evenly over the split.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="URL of a running reward server; without it, one is started for this command."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write summary, responses and provenance as JSON.")
    ] = None,
    temperature: float = 0.0,
    max_tokens: Annotated[
        int,
        typer.Option(
            min=16, help="A response is cut after so many tokens; as many as it was trained with."
        ),
    ] = 1024,
    style: Annotated[
        str | None,
        typer.Option(
            help="open-book, closed-book, instructed, open-catalogue; conversation or tools: a dialogue; by default open-book, with --ask instructed."
        ),
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a policy, a model behind an endpoint, or a rule, on held-out queries: NDCG@1 by kind with 95 % intervals, and more.

    Example: rerec eval runs/rerec/model --store runs/movies.duckdb --split test --out runs/rerec/test.json
    """
    from contextlib import nullcontext

    from data_engine.errors import DataError
    from data_engine.graphs.evidence import Evidence
    from data_engine.runtime.provenance import write_json
    from data_engine.schema import SPLITS
    from data_engine.store.database import Store
    from reward_server.client import RewardClient
    from reward_server.local import local_server
    from train.evaluation.endpoint import EndpointConfig
    from train.evaluation.evaluate import DEEPER, EvalConfig
    from train.evaluation.evaluate import evaluate as run_evaluation
    from train.tasks.dialogues import DIALOGUES
    from train.tasks.prompts import STYLES

    styles = (*STYLES, *DIALOGUES)
    style = style or ("instructed" if ask else "open-book")
    if split not in (*SPLITS, "benchmark") or style not in styles:
        raise DataError(
            f"no split {split!r} or style {style!r}: splits are {', '.join(SPLITS)} and benchmark, styles {', '.join(styles)}"
        )
    with Store.open(store, read_only=True) as opened:
        examples = opened.examples(split)
    if queries is not None and queries < len(examples):
        examples = [examples[k * len(examples) // queries] for k in range(queries)]
    endpoint = (
        EndpointConfig(
            model=ask,
            base_url=base_url,
            key_env=key_env,
            concurrency=concurrency,
            most_tokens=max_tokens,
        )
        if ask
        else None
    )
    config = EvalConfig(
        model=model,
        baseline=baseline,
        endpoint=endpoint,
        style=style,
        temperature=temperature,
        most_tokens=max_tokens,
        seed=seed,
    )
    kept = out and out.with_suffix(".answers.sqlite")  # so that a run cut short goes on
    with (
        nullcontext(server) if server else local_server(store) as url,
        progress("eval", len(examples)) as tell,
    ):
        evidence = Evidence.load(store)
        with RewardClient(url, evidence.digest) as client:
            client.ready()
            found = run_evaluation(config, examples, evidence, client, tell, kept)
    if out:
        write_json(out, found | {"split": split})
    summary = found["summary"]
    if as_json:
        print(json.dumps(summary))
        return
    kinds = {
        kind: f"{v['mean']:.3f} ({v['low']:.3f}–{v['high']:.3f}, n {v['n']})"
        for kind, v in summary["by_kind"].items()
    }
    total = summary["ndcg"]
    rest = {
        k: summary[k]
        for k in (
            "by_gold_position",
            "position_bias_p",
            "answered",
            "satisfied",
            "premise_corrected",
            "steps_right",
        )
    }
    rest |= {f"NDCG@{k}": summary[f"ndcg_{k}"] for k in DEEPER} | {
        "gold chains surprise by": summary["gold_surprise"]
    }
    show(
        {"NDCG@1": f"{total['mean']:.3f} ({total['low']:.3f}–{total['high']:.3f}, n {total['n']})"}
        | kinds
        | rest,
        False,
        f"{model or baseline or ask} on {split}",
    )


@report.command()
def _report(
    run: Annotated[
        Path, typer.Argument(help="A run directory of `rerec demo`, `train rft` or `train rporec`.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Write report.html into a run directory, from what is there.

    Example: rerec report runs/demo
    """
    from train.reports.journey_report import write_report
    from train.reports.rounds_report import write_rounds_report
    from train.reports.run_report import write_run_report

    if (run / "rporec.json").is_file():
        found = write_rounds_report(run)
    elif (run / "log").is_dir():
        found = write_run_report(run)
    else:
        found = write_report(run)
    show({"report": str(found)}, as_json)
