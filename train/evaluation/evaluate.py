"""Held-out evaluation: greedy (or sampled) responses, scored by the reward server, summed up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.provenance import provenance
from data_engine.schema import Example
from reward_server.client import RewardClient
from reward_server.wire import MOST_CHARACTERS, Response, Weights
from train.errors import TrainError
from train.evaluation.baselines import BASELINES, answers, baseline
from train.evaluation.config import EvalConfig
from train.evaluation.placement import Placement, placement
from train.evaluation.policies import EndpointPolicy, HFPolicy
from train.evaluation.rows import row
from train.evaluation.summary import DEEPER, summarise
from train.tasks import TASKS, ExampleTask
from train.tasks.base import Answer, Policy, Progress, no_progress
from train.tasks.play import server_look_up


def evaluate(
    config: EvalConfig,
    examples: list[Example],
    evidence: Evidence,
    client: RewardClient,
    progress: Progress = no_progress,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Generate, score, summarise: {"summary", "rows", "provenance"}, one row per response.

    The rows of the first sample of each Example come first. An endpoint's answers are appended to
    `kept`, and taken from there where they are. Raises TrainError when there is no model, no such
    baseline, or nothing to evaluate on, and what `train.evaluation.endpoint.ask` raises.
    """
    task = TASKS[config.style]
    examples = _askable(config, task, examples)
    if config.model:
        device, precision = placement(config.device, config.precision)
        config = config.model_copy(update={"device": device, "precision": precision})
    asked = examples * config.samples
    if config.baseline:
        rank = baseline(config.baseline, evidence, config.seed, task.open_catalogue)
        found = [Answer(text) for text in answers(rank, asked, evidence)]
    else:
        look_up = server_look_up(",".join(client.servers.urls), evidence.digest)
        found = task.answers(asked, evidence, _policy(config, kept), look_up, progress)
    rows = _scored(task, asked, found, evidence, client)
    for k, one in enumerate(rows):
        one["sample"] = k // len(examples)
    facts = provenance(config=config.model_dump(mode="json"), graph_digest=evidence.digest)
    summary = summarise(rows, config.seed)
    summary["gold_surprise"] = _retention(config, examples, evidence)
    return {"summary": summary, "rows": rows, "provenance": facts}


def _askable(config: EvalConfig, task: ExampleTask, examples: list[Example]) -> list[Example]:
    """The Examples that can be asked in the style. Raises TrainError for none, or a bad config."""
    given = [config.model, config.baseline, config.endpoint]
    if given.count(None) != 2 or config.baseline not in (None, *BASELINES):
        raise TrainError(
            "give one of a model folder, --ask MODEL for an endpoint, and --baseline with one of "
            + ", ".join(BASELINES)
        )
    if config.samples > 1 and (config.baseline or config.temperature == 0):
        raise TrainError(
            f"--samples {config.samples} would all be the same response: "
            "give a model and a --temperature above 0"
        )
    if not examples:
        raise TrainError(
            "no Examples to evaluate on: run `rerec synth` with a count for that split"
        )
    fitting = task.fitting(examples)
    if not fitting:
        raise TrainError(
            f"no Examples to ask as {config.style}: "
            f"make some with `rerec synth --kinds {config.style}`"
        )
    return fitting


def _policy(config: EvalConfig, kept: Path | None) -> Policy:
    if config.endpoint:
        return EndpointPolicy(config.endpoint, config.decoding, kept)
    assert config.model is not None  # see `_askable`
    placed = Placement(config.device, config.precision)
    if config.engine == "hf":
        return HFPolicy(config.model, config.decoding, placed)
    from train.evaluation.vllm_policy import VLLMPolicy  # torch takes seconds to import

    return VLLMPolicy(config.model, config.decoding, placed)


def _scored(
    task: ExampleTask,
    examples: Sequence[Example],
    found: Sequence[Answer],
    evidence: Evidence,
    client: RewardClient,
) -> list[dict[str, Any]]:
    """The row of each Example: scored with claims at K = 1, and for NDCG alone at DEEPER."""
    responses = [
        Response(example_id=example.example_id, response=answer.text[:MOST_CHARACTERS])
        for example, answer in zip(examples, found, strict=True)
    ]
    scores = client.score(responses, "open-catalogue" if task.open_catalogue else None)
    rows = []
    for example, answer, score in zip(examples, found, scores, strict=True):
        one = row(example, answer.text, score, evidence)
        if answer.chat is not None:
            one["dialogue"] = answer.chat
        if task.open_catalogue:
            one |= {"candidates": len(evidence.attributes.titles), "gold_position": None}
        rows.append(one)
    for k in DEEPER:
        weights = Weights(k=k, right="conditions" if task.open_catalogue else "gold")
        deeper = client.score(responses, weights, claims=False)
        for one, score in zip(rows, deeper, strict=True):
            one[f"ndcg_{k}"] = score.ndcg
    return rows


def _retention(config: EvalConfig, examples: list[Example], evidence: Evidence) -> float | None:
    """`gold_surprise` of a model folder on open-book prompts, over the Examples with chains.

    None for anything else: other styles, and vLLM, beside which no second copy may fit.
    """
    taught = [e for e in examples if e.chains]
    if not config.model or config.engine != "hf" or config.style != "open-book" or not taught:
        return None
    from train.evaluation.retention import gold_surprise
    from train.sft.lessons import lessons

    surprise = gold_surprise(
        config.model, lessons(taught, evidence), config.device, config.precision
    )
    return round(surprise, 4)
