"""Held-out evaluation: greedy (or sampled) responses, scored by the reward server, summed up by kind with 95 % intervals."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from pydantic import Field

from data_engine.graphs.evidence import Evidence
from data_engine.responses.reading import split_answer, without_tags
from data_engine.runtime.config import Config
from data_engine.runtime.provenance import provenance
from data_engine.schema import Example
from reward_server.client import RewardClient
from reward_server.wire import MOST_CHARACTERS, Response, Score, Weights
from train.errors import TrainError
from train.evaluation.baselines import BASELINES, answers, baseline
from train.evaluation.endpoint import EndpointConfig, ask
from train.tasks.converse import Chat, play, server_look_up, start
from train.tasks.dialogues import DIALOGUES, fits
from train.tasks.prompts import OPEN, STYLES

FIGURES = ("satisfied", "premise_corrected", "steps_right", "invented", "words")
DEEPER = (5, 10)  # the K of NDCG@K beside 1
ROUND = 1_000_003  # between the seeds of two rounds of a dialogue: more than there are Examples


class EvalConfig(Config):
    """What to evaluate: a model folder or a model behind an endpoint, on which prompt style, at which temperature (0: greedy); or a baseline
    (see `train.evaluation.baselines`). `style` is one of `train.tasks.prompts`, or a dialogue (`train.tasks.dialogues`), which is played on the Examples that can be asked
    so. A folder's response (a message of a dialogue) ends after `most_tokens` if it has not ended by itself."""

    model: Path | None = None
    baseline: str | None = None
    endpoint: EndpointConfig | None = None
    style: str = "open-book"
    temperature: float = 0.0
    most_tokens: int = Field(1024, ge=16)
    seed: int = 0


def evaluate(
    config: EvalConfig,
    examples: list[Example],
    evidence: Evidence,
    client: RewardClient,
    progress: Callable[[int, int], None] = lambda done, total: None,
    kept: Path | None = None,
) -> dict[str, object]:
    """Generate, score, summarise. Returns {"summary", "rows", "provenance"}; a row is one Example with its response and score.

    An endpoint's answers are appended to `kept`, and taken from there where they are. Raises TrainError when there is no model, no such
    baseline, or nothing to evaluate on, and what `train.evaluation.endpoint.ask` raises.
    """
    if [config.model, config.baseline, config.endpoint].count(None) != 2 or config.baseline not in (
        None,
        *BASELINES,
    ):
        raise TrainError(
            f"give one of a model folder, --ask MODEL for an endpoint, and --baseline with one of {', '.join(BASELINES)}"
        )
    if not examples:
        raise TrainError(
            "no Examples to evaluate on: run `rerec synth` with a count for that split"
        )
    is_open = config.style == OPEN
    if config.style in DIALOGUES:
        examples = [example for example in examples if fits(config.style, example)]
        if not examples:
            raise TrainError(
                f"no Examples to ask as {config.style}: make some with `rerec synth --kinds {config.style}`"
            )
    chats: list[Chat] = []
    if config.baseline:
        texts = answers(
            baseline(config.baseline, evidence, config.seed, is_open), examples, evidence
        )
    elif config.style in DIALOGUES:
        texts, chats = _dialogues(config, examples, evidence, client, progress, kept)
    elif config.endpoint:
        prompts = [STYLES[config.style](e, evidence) for e in examples]
        texts = ask(config.endpoint, prompts, config.temperature, config.seed, kept, progress)
    else:
        from train.evaluation.generate import (
            respond,  # torch and transformers take seconds to import: a baseline needs neither
        )

        prompts = [STYLES[config.style](e, evidence) for e in examples]
        texts = respond(
            config.model, prompts, config.temperature, config.most_tokens, config.seed, progress
        )
    asked = [
        Response(example_id=e.example_id, response=t[:MOST_CHARACTERS])
        for e, t in zip(examples, texts, strict=True)
    ]
    scores = client.score(asked, "open-catalogue" if is_open else None)
    rows = [row(e, t, s, evidence) for e, t, s in zip(examples, texts, scores, strict=True)]
    if chats:
        rows = [one | {"dialogue": chat} for one, chat in zip(rows, chats, strict=True)]
    if is_open:
        rows = [
            one | {"candidates": len(evidence.attributes.titles), "gold_position": None}
            for one in rows
        ]
    for k in DEEPER:
        deeper = client.score(
            asked, Weights(k=k, right="conditions" if is_open else "gold"), claims=False
        )
        for one, score in zip(rows, deeper, strict=True):
            one[f"ndcg_{k}"] = score.ndcg
    facts = provenance(config=config.model_dump(mode="json"), graph_digest=evidence.digest)
    summary = summarise(rows, config.seed) | {
        "gold_surprise": _retention(config, examples, evidence)
    }
    return {"summary": summary, "rows": rows, "provenance": facts}


def _dialogues(
    config: EvalConfig,
    examples: list[Example],
    evidence: Evidence,
    client: RewardClient,
    progress: Callable[[int, int], None],
    kept: Path | None,
) -> tuple[list[str], list[Chat]]:
    """The last message of each Example's dialogue, and all of its messages."""
    dialogues = [start(example, evidence, config.style) for example in examples]
    look_up = server_look_up(",".join(client.servers.urls), evidence.digest)
    if config.endpoint:  # no endpoint takes a tool's message without a call in its own format
        endpoint = config.endpoint
        speak = lambda chats, turn: ask(  # noqa: E731
            endpoint, chats, config.temperature, config.seed + ROUND * turn, kept
        )
        texts = play(dialogues, speak, look_up, "user", progress)
    else:
        from train.evaluation.generate import continue_chats, load

        model, tokenizer = load(config.model)
        more = (config.temperature, config.most_tokens)
        speak = lambda chats, turn: continue_chats(  # noqa: E731
            model, tokenizer, chats, *more, config.seed + ROUND * turn
        )
        texts = play(dialogues, speak, look_up, progress=progress)
    return texts, [dialogue.chat for dialogue in dialogues]


def _retention(config: EvalConfig, examples: list[Example], evidence: Evidence) -> float | None:
    """Of a model folder on open-book prompts, over the Examples that have chains, the gold one first; null for anything else."""
    taught = [e for e in examples if e.chains]
    if not config.model or config.style != "open-book" or not taught:
        return None
    from train.evaluation.retention import gold_surprise
    from train.sft.lessons import lessons

    return round(gold_surprise(config.model, lessons(taught, evidence)), 4)


def row(example: Example, text: str, score: Score, evidence: Evidence) -> dict[str, object]:
    """One evaluated Example. satisfied: share of the true conditions that the first recommendation meets (null without any); premise_corrected: see
    `_corrected`; steps_right: share of the judged claims that are true and about what is asked (null without any); invented: answered titles
    that no item bears."""
    first = score.recommended[0] if score.recommended else None
    met = [
        first is not None and bool(evidence.attributes.judge(first, c)) for c in example.conditions
    ]
    claims = [
        c.verdict == "supported" and c.relevant is not False
        for s in score.segments
        for c in s.claims
        if c.verdict != "unknown"
    ]
    return {
        "example_id": example.example_id,
        "kind": example.kind,
        "gold_position": example.gold_position,
        "ndcg": score.ndcg,
        "score": score.score,
        "status": score.status,
        "satisfied": sum(met) / len(met) if met else None,
        "response": text,
        "segments": msgspec.to_builtins(score.segments),
        "premise_corrected": _corrected(example, text, score, evidence),
        "steps_right": sum(claims) / len(claims) if claims else None,
        "invented": score.unresolved,
        "words": len(without_tags(text).split()),
        "conditions": len(example.conditions),
        "candidates": len(example.candidates),
    }


def _corrected(example: Example, text: str, score: Score, evidence: Evidence) -> bool | None:
    """Whether the reasoning to a misinformed query names the true value before it turns to the candidates: what a condition, or else the graph, says
    the premise's subject has. None for other kinds, for a response without reasoning (a baseline's), and where no true value is known."""
    if example.kind != "misinformed" or not split_answer(text)[0]:
        return None
    graph, premise = evidence.attributes, example.premise
    true = (
        graph.values(premise.subject, premise.relation)
        if premise
        else {c.value for c in example.conditions[:1]}
    )
    names = [c.name for c in example.conditions if c.value in true] or [
        graph.names[value] for value in true
    ]
    if not names:
        return None
    weighed = [s.start for s in score.segments if set(s.mentions) & set(example.candidates)]
    opening = text[: min(weighed, default=len(text))]
    return any(name in opening for name in names)


def summarise(rows: list[dict], seed: int = 0) -> dict[str, object]:
    """NDCG@1 with 95 % bootstrap intervals over all rows, by kind, number of conditions and number of candidates; its mean by gold position and
    `position_bias`; and the means of the other figures over the rows that have them (null where none has)."""

    def by(key: str) -> dict:
        groups = defaultdict(list)
        for r in rows:
            groups[r[key]].append(r["ndcg"])
        return dict(sorted(groups.items()))

    def mean(figure: str) -> float | None:
        values = [r[figure] for r in rows if r.get(figure) is not None]
        return round(float(np.mean(values)), 4) if values else None

    places = {
        str(p): round(float(np.mean(v)), 4) for p, v in by("gold_position").items() if p is not None
    }
    return {
        "queries": len(rows),
        "ndcg": interval([r["ndcg"] for r in rows], seed),
        **{
            f"by_{key}": {str(k): interval(v, seed) for k, v in by(key).items()}
            for key in ("kind", "conditions", "candidates")
        },
        "by_gold_position": places,
        "position_bias_p": position_bias(rows, seed),
        "answered": round(float(np.mean([r["status"] == "ok" for r in rows])), 4),
        **{figure: mean(figure) for figure in (*FIGURES, *(f"ndcg_{k}" for k in DEEPER))},
    }


def position_bias(rows: list[dict], seed: int, draws: int = 2000) -> float | None:
    """The p value, in 0..1, of "where the gold stands among the candidates makes no difference to NDCG@1": a permutation test of the sum of squares
    between gold positions. Positions are permuted among queries of as many candidates, `draws` times; the same seed gives the same p. None
    where there are not two positions.
    """
    placed = [r for r in rows if r["gold_position"] is not None]
    if len({r["gold_position"] for r in placed}) < 2:
        return None
    values = np.array([r["ndcg"] for r in placed], float)
    values -= values.mean()
    at = np.unique([r["gold_position"] for r in placed], return_inverse=True)[1]
    among = np.array([r["candidates"] for r in placed])
    alike, count = [np.flatnonzero(among == n) for n in np.unique(among)], np.bincount(at)
    rng = np.random.default_rng(seed)

    def between(ordered: np.ndarray) -> float:
        return float((np.bincount(at, ordered) ** 2 / count).sum())

    def permuted() -> np.ndarray:
        found = values.copy()
        for group in alike:
            found[group] = values[rng.permutation(group)]
        return found

    observed = between(values) * (1 - 1e-9)  # equal ones differ by rounding
    return round((1 + sum(between(permuted()) >= observed for _ in range(draws))) / (1 + draws), 4)


def interval(values: list[float], seed: int, draws: int = 2000) -> dict[str, float]:
    """Mean and its 95 % percentile-bootstrap interval over queries; the same seed gives the same interval."""
    x = np.asarray(values, float)
    means = x[np.random.default_rng(seed).integers(len(x), size=(draws, len(x)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {
        "mean": round(float(x.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(x),
    }
