"""The dataset card: README.md in the Hugging Face format, with plots beside it.

It is made from what a store holds and nothing else.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from data_engine.datasets.card_plots import draw_plots
from data_engine.datasets.hub import describe
from data_engine.datasets.parquet import graphs_of
from data_engine.errors import DataError
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import write
from data_engine.runtime.provenance import provenance
from data_engine.schema import SPLITS
from data_engine.store.database import Store

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
REACHED_FROM = 200  # items from which k-hop reach is measured


@dataclass(frozen=True)
class _Contents:
    """Rows of each part of a store, Examples by split and kind, its source, and where its
    embeddings and Examples came from.
    """

    counts: dict[str, int]
    by_split: Counter[str]
    by_kind: dict[str, int]
    source: str
    origins: dict[str, Any]

    @classmethod
    def of(cls, path: Path) -> "_Contents":
        """Read the store at `path`."""
        with Store.open(path, read_only=True) as store:
            counted = "SELECT {0}, count(*) FROM examples GROUP BY 1 ORDER BY 1".format
            source = str(store.meta("source"))
            embedded = store.meta("embeddings") or {}
            origins = provenance(
                graph_digest=store.graph_digest, source=source, embeddings=embedded.get("config")
            )
            if feedback := store.meta("feedback"):
                origins["feedback"] = feedback
            if first := next(store.stream(), None):
                origins["examples"] = first.provenance.model_dump()
            by_split = Counter[str](dict(store.rows(counted("split"))))
            by_kind: dict[str, int] = dict(store.rows(counted("kind")))
            return cls(store.counts(), by_split, by_kind, source, origins)


def write_card(path: Path, folder: Path, licence: str, parquet: Collection[str] = ()) -> Path:
    """Write folder/README.md and folder/card/*.png for the store at `path`; returns the README.

    licence: the Hugging Face identifier of the data's terms, which rerec cannot know. parquet: the
    splits that lie in the folder. Raises DataError where there is no catalogue, no parquet in such
    a file, or rows of another graph in it.
    """
    evidence = Evidence.load(path)
    contents = _Contents.of(path)
    files = [folder / f"{split}.parquet" for split in SPLITS if split in parquet]
    _check_graph(files, evidence.digest)
    head = _front_matter(evidence, contents, licence, files)
    (folder / "card").mkdir(parents=True, exist_ok=True)
    reach = _reach(evidence.attributes)
    draw_plots(evidence, reach, folder / "card")
    lines = [
        *head,
        *_sizes(evidence, contents),
        *_coverage(evidence.attributes),
        *_reached(reach),
        "## Licence",
        "",
        f"`{licence}`, as stated by whoever made this card; the terms of the source data "
        f"({contents.source}) apply to what was derived from it.",
        "",
        "## Provenance",
        "",
        "```json",
        json.dumps(contents.origins, indent=1, ensure_ascii=False),
        "```",
        "",
    ]
    page = folder / "README.md"
    write(page, "\n".join(lines))
    return page


def _check_graph(files: Sequence[Path], digest: str) -> None:
    """Raise DataError for rows of another graph than the store's."""
    for file in files:
        if others := graphs_of(file) - {digest}:
            raise DataError(
                f"{file} is of graph {min(others)}, the store holds {digest}: "
                "give the store that it was written from (--store)"
            )


def _front_matter(
    evidence: Evidence, contents: _Contents, licence: str, files: Sequence[Path]
) -> list[str]:
    """The YAML that Hugging Face reads."""
    examples = sum(contents.by_split.values())
    size = next((name for bound, name in SIZES if examples < bound), "n>10M")
    lines = [
        "---",
        f"license: {licence}",
        "language: [en]",
        f"size_categories: [{size}]",
        "task_categories: [text-generation]",
        f"tags: [recommendation, reasoning, knowledge-graph, rerec, {evidence.domain}]",
    ]
    if files:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        lines += [f"  - {{split: {file.stem}, path: {file.name}}}" for file in files]
        lines += [describe(files)]
    return [*lines, "---", ""]


def _sizes(evidence: Evidence, contents: _Contents) -> list[str]:
    by_split, by_kind = contents.by_split, contents.by_kind
    timed = evidence.interactions.has_time
    return [
        f"# {contents.source}: recommendation queries over {evidence.domain}",
        "",
        "Made by `rerec`. Each query is proven on the item–attribute graph: the gold meets "
        "every true condition, no other candidate does, and",
        "every reasoning step is labelled by the graph.",
        "",
        "## What is in it",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in contents.counts.items()),
        f"| liked interactions | {int(evidence.interactions.positive.sum()):,} |",
        *(f"| Examples, {split} | {by_split[split]:,} |" for split in SPLITS if by_split[split]),
        *(f"| Examples, {kind} | {count:,} |" for kind, count in by_kind.items()),
        "",
        "![degrees](card/degree.png) ![coverage](card/coverage.png)",
        "",
        "![interactions over time](card/time.png)" if timed else "The interactions carry no times.",
        "",
    ]


def _coverage(graph: AttributeGraph) -> list[str]:
    relations = Counter(relation for by in graph.edges.values() for relation in by)
    shares = {relation: n / len(graph.titles) for relation, n in relations.most_common()}
    return [
        "| relation | share of items that have it |",
        "|---|---|",
        *(f"| {relation} | {share:.1%} |" for relation, share in shares.items()),
        "",
    ]


def _reached(reach: dict[int, float]) -> list[str]:
    return [
        "## How far the graph reaches",
        "",
        "Mean share of all items that an item reaches through shared attributes: "
        + ", ".join(f"{share:.1%} within {hops} hops" for hops, share in reach.items())
        + ".",
        "",
        "![reach](card/reach.png) ![a neighbourhood](card/neighbourhood.png)",
        "",
    ]


def _reach(graph: AttributeGraph) -> dict[int, float]:
    """Hops (2, 4) → mean share of the other items reached, from items spread evenly over the
    catalogue.
    """
    items = sorted(graph.edges)
    near = {item: _sharing(graph, item) for item in items}
    chosen = items[:: max(1, len(items) // REACHED_FROM)]
    two = [len(near[item]) for item in chosen]
    four = [_twice(near, item) for item in chosen]
    others = max(1, len(items) - 1)
    return {2: mean(two) / others, 4: mean(four) / others}


def _sharing(graph: AttributeGraph, item: str) -> set[str]:
    """The other items that share an edge with the item."""
    held = [graph.items_by_edge[edge] for edge in graph.edge_sets[item]]
    return set().union(*held) - {item}


def _twice(near: dict[str, set[str]], item: str) -> int:
    """How many other items are reached by sharing, and sharing once more."""
    if not near[item]:
        return 0
    return len(near[item].union(*(near[other] for other in near[item]))) - 1
