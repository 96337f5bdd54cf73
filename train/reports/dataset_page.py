"""The data of a store, for a report: counts, coverage and one Example of each kind."""

from collections import Counter
from typing import Any

import numpy as np

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example


def dataset_page(examples: list[Example], evidence: Evidence) -> dict[str, Any]:
    """Counts, query lengths, gold positions, coverage of relations, and one Example of each kind.

    coverage: share of the items that have a relation; lengths: words at 10, 50 and 90 %.
    """
    graph = evidence.attributes
    coverage: Counter[str] = Counter()
    for relations in graph.edges.values():
        coverage.update(relations.keys())
    lengths = np.quantile([len(e.query.split()) for e in examples], (0.1, 0.5, 0.9))
    shown = {e.kind: e for e in reversed(examples) if e.split == "sft"}
    positions = Counter(e.gold_position for e in examples)
    return {
        "domain": evidence.domain,
        "digest": evidence.digest,
        "items": len(graph.titles),
        "users": len(evidence.interactions.users),
        "interactions": len(evidence.interactions.user),
        "edges": sum(map(len, graph.edge_sets.values())),
        "coverage": {r: n / len(graph.titles) for r, n in coverage.most_common()},
        "table": _kinds_by_split(examples),
        "lengths": [int(x) for x in lengths],
        "positions": dict(sorted(positions.items())),
        "total": len(examples),
        "examples": [shown[kind] for kind in sorted(shown)],
        "titles": graph.titles,
    }


def _kinds_by_split(examples: list[Example]) -> dict[str, Counter[str]]:
    table: dict[str, Counter[str]] = {}
    for example in examples:
        table.setdefault(example.split, Counter())[example.kind] += 1
    return table
