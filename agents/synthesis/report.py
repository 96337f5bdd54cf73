"""What a synthesis run yielded, cost and is made of, from its ledger."""

import json
import statistics
from collections import Counter
from itertools import pairwise

from agents.synthesis.ledger import Ledger
from data_engine.errors import DataError

GRAM = 6


def distinct(texts: list[str], n: int = 2) -> float:
    """Share of different n-grams among all, 0..1 (distinct-n, Li et al. 2016)."""
    grams = [gram for text in texts for gram in _grams(text, n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def commonest(texts: list[str], n: int = GRAM) -> tuple[str, float]:
    """The n-gram that stands in most texts, and in what share of them."""
    counts = Counter(gram for text in texts for gram in set(_grams(text, n)))
    if not counts:
        return "", 0.0
    gram, count = counts.most_common(1)[0]
    return " ".join(gram), count / len(texts)


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    words = text.casefold().split()
    return (
        list(pairwise(words))
        if n == 2
        else [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]
    )


def summarise(ledger: Ledger) -> dict[str, object]:
    """Yield (verified Examples a written query), reasons of rejection, calls, tokens and money for each verified Example, and variety by kind.

    Raises DataError when the ledger holds no run.
    """
    run = ledger.db.execute("SELECT digest, config FROM run").fetchone()
    if run is None:
        raise DataError("no synthesis run is on record for this store: run `rerec synth` first")
    said: dict[str, list[str]] = {}
    levels: Counter[str] = Counter()
    for example in ledger.examples():
        said.setdefault(example.kind, []).append(example.said)
        levels[str(example.level)] += 1
    verified = sum(map(len, said.values()))
    reasons: Counter[str] = Counter()
    rejected = 0
    for _, reject in ledger.rejects():
        rejected += 1
        reasons.update({_reason(problem) for problem in reject.problems})
    dropped = Counter(
        _reason(v)
        for (v,) in ledger.db.execute("SELECT verdict FROM verdicts WHERE position IS NULL")
    )
    made = ledger.db.execute("SELECT count(*) FROM outcomes WHERE identity <> ''").fetchone()[0]
    roles = ledger.db.execute(
        "SELECT role, count(*), sum(status = 'ok'), sum(tokens_in), sum(tokens_out), sum(money) FROM calls GROUP BY role ORDER BY role"
    ).fetchall()
    failures = dict(
        ledger.db.execute(
            "SELECT status, count(*) FROM calls WHERE status <> 'ok' GROUP BY 1 ORDER BY 2 DESC"
        ).fetchall()
    )
    return {
        "run": run[0],
        "config": json.loads(run[1]),
        "verified": verified,
        "yield": round(made / (made + rejected), 4) if made else 0.0,
        "rejected": dict(reasons.most_common()),
        "duplicates": dict(dropped.most_common()),
        "levels": dict(sorted(levels.items())),
        "calls": {
            role: {"calls": n, "answered": ok, "tokens_in": i, "tokens_out": o, "money": m}
            for role, n, ok, i, o, m in roles
        },
        "failed_calls": failures,
        "per_verified": {
            "calls": round(sum(r[1] for r in roles) / verified, 4),
            "tokens": round(sum(r[3] + r[4] for r in roles) / verified, 2),
            "money": round(sum(r[5] for r in roles) / verified, 8),
        }
        if verified
        else {},
        "variety": {kind: _variety(texts) for kind, texts in sorted(said.items())},
    }


def _variety(texts: list[str]) -> dict[str, object]:
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
    kinds = {
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
    return next(
        (name for words, name in kinds.items() if words in problem), problem.split(" found in ")[0]
    )
