"""The report of a synthesis run from its ledger: yield, cost and variety."""

import json
import statistics
from collections import Counter
from itertools import pairwise
from typing import Any

from agents.synthesis.ledger import Ledger
from data_engine.errors import DataError

GRAM = 6
# words of a problem → the reason that it counts as
_REASONS = {
    "is not mentioned": "a fact is not mentioned",
    "is no part of the facts": "a foreign name is mentioned",
    "is not ruled out": "a negation is lost",
    "to be a bound": "a bound is lost or turned round",
    "names the gold": "the gold is named",
    "must not be named": "a hidden item is named",
    "unnatural": "unnatural",
    "nearly the words": "nearly the words of another",
    "no usable answer": "no usable answer",
    "refused": "refused",
    "messages instead of": "the wrong number of messages",
}


def distinct(texts: list[str], n: int = 2) -> float:
    """Share of different n-grams among all, 0..1 (distinct-n, Li et al. 2016)."""
    grams: list[tuple[str, ...]] = []
    for text in texts:
        grams += _grams(text, n)
    return len(set(grams)) / len(grams) if grams else 0.0


def commonest(texts: list[str], n: int = GRAM) -> tuple[str, float]:
    """The n-gram that stands in most texts, and in what share of them."""
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        counts.update(list(dict.fromkeys(_grams(text, n))))  # in order, for ties
    if not counts:
        return "", 0.0
    gram, count = counts.most_common(1)[0]
    return " ".join(gram), count / len(texts)


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    words = text.casefold().split()
    if n == 2:
        return list(pairwise(words))
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def summarise(ledger: Ledger) -> dict[str, Any]:
    """Yield, reasons of rejection, calls and their cost, and variety by kind.

    The yield is verified Examples per written query; cost is per verified Example.
    Raises DataError when the ledger holds no run.
    """
    run = ledger.db.execute("SELECT digest, config FROM run").fetchone()
    if run is None:
        raise DataError("no synthesis run is on record for this store: run `rerec synth` first")
    queries: dict[str, list[str]] = {}
    levels: Counter[str] = Counter()
    for example in ledger.examples():
        queries.setdefault(example.kind, []).append(example.said)
        levels[str(example.level)] += 1
    verified = sum(map(len, queries.values()))
    return {
        "run": run[0],
        "config": json.loads(run[1]),
        "verified": verified,
        **_rejections(ledger),
        "levels": dict(sorted(levels.items())),
        **_calls(ledger, verified),
        "variety": {kind: _variety(texts) for kind, texts in sorted(queries.items())},
    }


def _rejections(ledger: Ledger) -> dict[str, Any]:
    """Yield, and why attempts were rejected and proven Examples left out."""
    reasons: Counter[str] = Counter()
    rejected = 0
    for _, reject in ledger.rejects():
        rejected += 1
        reasons.update({_reason(problem) for problem in reject.problems})
    dropped = ledger.db.execute("SELECT verdict FROM verdicts WHERE position IS NULL")
    duplicates = Counter(_reason(verdict) for (verdict,) in dropped)
    made = ledger.db.execute("SELECT count(*) FROM outcomes WHERE identity <> ''").fetchone()[0]
    return {
        "yield": round(made / (made + rejected), 4) if made else 0.0,
        "rejected": dict(reasons.most_common()),
        "duplicates": dict(duplicates.most_common()),
    }


def _calls(ledger: Ledger, verified: int) -> dict[str, Any]:
    """Calls to models by role, failed ones by status, and the cost per verified Example."""
    roles = ledger.db.execute(
        "SELECT role, count(*) AS calls, sum(status = 'ok'), sum(tokens_in), sum(tokens_out), "
        "sum(money) FROM calls GROUP BY role ORDER BY role"
    ).fetchall()
    failures = ledger.db.execute(
        "SELECT status, count(*) FROM calls WHERE status <> 'ok' GROUP BY 1 ORDER BY 2 DESC"
    ).fetchall()
    by_role = {
        role: {"calls": calls, "answered": ok, "tokens_in": i, "tokens_out": o, "money": money}
        for role, calls, ok, i, o, money in roles
    }
    found: dict[str, Any] = {"calls": by_role, "failed_calls": dict(failures), "per_verified": {}}
    if verified:
        tokens = sum(one["tokens_in"] + one["tokens_out"] for one in by_role.values())
        found["per_verified"] = {
            "calls": round(sum(one["calls"] for one in by_role.values()) / verified, 4),
            "tokens": round(tokens / verified, 2),
            "money": round(sum(one["money"] for one in by_role.values()) / verified, 8),
        }
    return found


def _variety(texts: list[str]) -> dict[str, Any]:
    gram, share = commonest(texts)
    words = statistics.median(len(text.split()) for text in texts)
    return {
        "queries": len(texts),
        "words": words,
        "distinct_2": round(distinct(texts), 4),
        "commonest_6_gram": gram,
        "its_share": round(share, 4),
    }


def _reason(problem: str) -> str:
    """A problem without what it is about, so that like ones count together."""
    reasons = (reason for words, reason in _REASONS.items() if words in problem)
    return next(reasons, problem.split(" found in ")[0])
