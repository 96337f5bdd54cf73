"""`rerec eval`."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.commands.options import BASE_URL, ServerOption

if TYPE_CHECKING:
    from data_engine.schema import Example
    from train.evaluation.evaluate import EvalConfig

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def evaluate(
    model: Annotated[
        Path | None, typer.Argument(help="Model folder, or a name on the hub.")
    ] = None,
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
    base_url: Annotated[str, typer.Option(help="With --ask: the endpoint.")] = BASE_URL,
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
    server: ServerOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Write summary, responses and provenance as JSON.")
    ] = None,
    temperature: float = 0.0,
    max_tokens: Annotated[
        int,
        typer.Option(
            min=16,
            help="A response is cut after so many tokens; as many as it was trained with.",
        ),
    ] = 1024,
    style: Annotated[
        str | None,
        typer.Option(
            help="open-book, closed-book, instructed, open-catalogue, chat; conversation or tools: "
            "a dialogue; by default open-book, with --ask instructed."
        ),
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a policy, a model behind an endpoint, or a rule, on held-out queries: \
NDCG@1 by kind with 95 % intervals, and more.

    Example: rerec eval runs/rerec/model --store runs/movies.duckdb --split test \
--out runs/rerec/test.json
    """
    from train.evaluation.endpoint import EndpointConfig
    from train.evaluation.evaluate import EvalConfig

    style = style or ("instructed" if ask else "open-book")
    examples = _examples(store, split, style, queries)
    endpoint = None
    if ask:
        endpoint = EndpointConfig(
            model=ask,
            base_url=base_url,
            key_env=key_env,
            concurrency=concurrency,
            most_tokens=max_tokens,
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
    summary = _evaluate(config, examples, store, split, server, out)
    if as_json:
        print(json.dumps(summary))
    else:
        _show(summary, f"{model or baseline or ask} on {split}")


def _examples(store: Path, split: str, style: str, queries: int | None) -> "list[Example]":
    """The Examples to ask. Raises DataError for an unknown split or style."""
    from data_engine.datasets.sampling import evenly
    from data_engine.errors import DataError
    from data_engine.schema import SPLITS
    from data_engine.store.database import Store
    from train.tasks import TASKS

    styles = tuple(TASKS)
    if split not in (*SPLITS, "benchmark") or style not in styles:
        raise DataError(
            f"no split {split!r} or style {style!r}: "
            f"splits are {', '.join(SPLITS)} and benchmark, styles {', '.join(styles)}"
        )
    with Store.open(store, read_only=True) as opened:
        examples = opened.examples(split)
    return examples if queries is None else evenly(examples, queries)


def _evaluate(
    config: "EvalConfig",
    examples: "list[Example]",
    store: Path,
    split: str,
    server: str | None,
    out: Path | None,
) -> dict[str, Any]:
    """Evaluate on the server of that URL, or one of its own, and write `out`; the summary."""
    from data_engine.graphs.evidence import Evidence
    from data_engine.runtime.provenance import write_json
    from reward_server.client import RewardClient
    from reward_server.local import local_server
    from train.evaluation.evaluate import evaluate as run_evaluation

    # so that a run that was cut short goes on
    kept = out and out.with_suffix(".answers.sqlite")
    with (
        nullcontext(server) if server else local_server(store) as url,
        progress("eval", len(examples)) as advance,
    ):
        evidence = Evidence.load(store)
        with RewardClient(url, evidence.digest) as client:
            client.ready()
            found: dict[str, Any] = run_evaluation(
                config, examples, evidence, client, advance, kept
            )
    if out:
        write_json(out, found | {"split": split})
    summary: dict[str, Any] = found["summary"]
    return summary


def _show(summary: dict[str, Any], title: str) -> None:
    from train.evaluation.summary import DEEPER, FIGURES

    rows = {"NDCG@1": _interval(summary["ndcg"])}
    rows |= {kind: _interval(found) for kind, found in summary["by_kind"].items()}
    figures = ("by_gold_position", "position_bias_p", "answered", *FIGURES)
    rows |= {name: summary[name] for name in figures if name != "words"}
    rows |= {f"NDCG@{k}": summary[f"ndcg_{k}"] for k in DEEPER}
    show({**rows, "gold chains surprise by": summary["gold_surprise"]}, False, title)


def _interval(found: dict[str, Any]) -> str:
    return f"{found['mean']:.3f} ({found['low']:.3f}–{found['high']:.3f}, n {found['n']})"
