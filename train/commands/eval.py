"""`rerec eval`."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from data_engine.runtime.console import progress, show
from data_engine.runtime.lean_transformers import import_transformers
from data_engine.runtime.options import DEFAULT_STORE, JsonOption, SeedOption, StoreOption
from train.commands import eval_options as options
from train.commands.options import BASE_URL, ServerOption

if TYPE_CHECKING:
    from data_engine.schema import Example
    from train.evaluation.config import EvalConfig

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def evaluate(
    model: options.ModelArgument = None,
    engine: options.EngineOption = "hf",
    device: options.DeviceOption = "auto",
    precision: options.PrecisionOption = "auto",
    baseline: options.BaselineOption = None,
    ask: options.AskOption = None,
    base_url: options.EndpointOption = BASE_URL,
    key_env: options.KeyEnvOption = "OPENAI_API_KEY",
    concurrency: options.ConcurrencyOption = 16,
    store: StoreOption = DEFAULT_STORE,
    split: options.SplitOption = "validation",
    queries: options.QueriesOption = None,
    server: ServerOption = None,
    out: options.OutOption = None,
    temperature: options.TemperatureOption = 0.0,
    top_p: options.TopPOption = 1.0,
    samples: options.SamplesOption = 1,
    max_tokens: options.MaxTokensOption = 1024,
    style: options.StyleOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a policy, a model behind an endpoint, or a rule, on held-out queries: \
NDCG@1 by kind with 95 % intervals, and more.

    Example: rerec eval runs/rerec/model --store runs/movies.duckdb --split test \
--out runs/rerec/test.json
    """
    from train.errors import TrainError
    from train.evaluation.config import EvalConfig
    from train.evaluation.endpoint import EndpointConfig

    if ask and (model or engine == "vllm"):
        raise TrainError("--ask MODEL is short for MODEL --engine endpoint: give one of them")
    asked = ask or (model if engine == "endpoint" else None)
    folder = None if engine == "endpoint" else model
    style = style or ("instructed" if asked else "open-book")
    examples = _examples(store, split, style, queries)
    place = {"base_url": base_url, "key_env": key_env, "concurrency": concurrency}
    endpoint = EndpointConfig(model=asked, most_tokens=max_tokens, **place) if asked else None
    config = EvalConfig(
        model=Path(folder) if folder else None,
        baseline=baseline,
        endpoint=endpoint,
        style=style,
        engine="hf" if engine == "endpoint" else engine,
        device=device,
        precision=precision,
        temperature=temperature,
        top_p=top_p,
        samples=samples,
        most_tokens=max_tokens,
        seed=seed,
    )
    summary = _evaluate(config, examples, store, split, server, out)
    if as_json:
        print(json.dumps(summary))
    else:
        _show(summary, f"{folder or baseline or asked} on {split}")


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

    if config.model:
        import_transformers()
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
    figures = ("by_gold_position", "position_bias_p", "format", "answered", *FIGURES)
    rows |= {name: summary[name] for name in figures if name != "words"}
    if summary["samples"] > 1:
        rows["best_of_samples"] = summary["best_of_samples"]
    rows |= {f"NDCG@{k}": summary[f"ndcg_{k}"] for k in DEEPER}
    show({**rows, "gold chains surprise by": summary["gold_surprise"]}, False, title)


def _interval(found: dict[str, Any]) -> str:
    return f"{found['mean']:.3f} ({found['low']:.3f}–{found['high']:.3f}, n {found['n']})"
