"""The dataset card: README.md in the Hugging Face format, with plots beside it, from what a store
holds and nothing else.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import mean

import networkx as nx
import numpy as np

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import draft, write
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
DRAWN = 40  # nodes of the neighbourhood that is drawn


def write_card(path: Path, folder: Path, licence: str, parquet: Iterable[str] = ()) -> Path:
    """Write folder/README.md and folder/card/*.png for the store at `path`; `parquet` are the
    splits that lie in the folder.

    `licence` is the Hugging Face identifier of the data's terms: rerec cannot know them. Raises
    DataError where there is no catalogue.
    """
    evidence = Evidence.load(path)
    with Store.open(path, read_only=True) as store:
        counts, source = store.counts(), str(store.meta("source"))
        by_split: Counter[str] = Counter(
            dict(store.rows("SELECT split, count(*) FROM examples GROUP BY 1"))
        )
        by_kind: dict[str, int] = dict(
            store.rows("SELECT kind, count(*) FROM examples GROUP BY 1 ORDER BY 1")
        )
        first = next(store.stream(), None)
        embedded = store.meta("embeddings") or {}
    (folder / "card").mkdir(parents=True, exist_ok=True)
    reach = _reach(evidence)
    _draw(evidence, reach, folder / "card")
    size = next((name for bound, name in SIZES if sum(by_split.values()) < bound), "n>10M")
    head = [
        "---",
        f"license: {licence}",
        "language: [en]",
        f"size_categories: [{size}]",
        "task_categories: [text-generation]",
    ]
    head += [f"tags: [recommendation, reasoning, knowledge-graph, rerec, {evidence.domain}]"]
    splits = [split for split in SPLITS if split in parquet]
    if splits:
        head += [
            "configs:",
            "- config_name: default",
            "  data_files:",
            *(f"  - {{split: {s}, path: {s}.parquet}}" for s in splits),
        ]
    facts = provenance(
        graph_digest=evidence.digest, source=source, embeddings=embedded.get("config")
    )
    if first is not None:
        facts["examples"] = first.provenance.model_dump()
    coverage = Counter(relation for by in evidence.attributes.edges.values() for relation in by)
    lines = [
        *head,
        "---",
        "",
        f"# {source}: recommendation queries over {evidence.domain}",
        "",
        "Made by `rerec`. Each query is proven on the item–attribute graph: the gold meets "
        "every true condition, no other candidate does, and",
        "every reasoning step is labelled by the graph.",
        "",
        "## What is in it",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in counts.items()),
        f"| liked interactions | {int(evidence.interactions.positive.sum()):,} |",
        *(f"| Examples, {split} | {by_split[split]:,} |" for split in SPLITS if by_split[split]),
        *(f"| Examples, {kind} | {count:,} |" for kind, count in by_kind.items()),
        "",
        "![degrees](card/degree.png) ![coverage](card/coverage.png)",
        "",
        *(
            ["![interactions over time](card/time.png)", ""]
            if evidence.interactions.has_time
            else ["The interactions carry no times.", ""]
        ),
        "| relation | share of items that have it |",
        "|---|---|",
        *(
            f"| {relation} | {n / len(evidence.attributes.titles):.1%} |"
            for relation, n in coverage.most_common()
        ),
        "",
        "## How far the graph reaches",
        "",
        "Mean share of all items that an item reaches through shared attributes: "
        + ", ".join(f"{share:.1%} within {hops} hops" for hops, share in reach.items())
        + ".",
        "",
        "![reach](card/reach.png) ![a neighbourhood](card/neighbourhood.png)",
        "",
        "## Licence",
        "",
        f"`{licence}`, as stated by whoever made this card; the terms of the source data "
        f"({source}) apply to what was derived from it.",
        "",
        "## Provenance",
        "",
        "```json",
        json.dumps(facts, indent=1, ensure_ascii=False),
        "```",
        "",
    ]
    write(folder / "README.md", "\n".join(lines))
    return folder / "README.md"


def _reach(evidence: Evidence) -> dict[int, float]:
    """Hops (2, 4) → mean share of the other items reached, from items spread evenly over the
    catalogue.
    """
    graph, items = evidence.attributes, sorted(evidence.attributes.edges)
    near = {
        item: {other for edge in graph.edge_sets[item] for other in graph.items_by_edge[edge]}
        - {item}
        for item in items
    }
    chosen = items[:: max(1, len(items) // REACHED_FROM)]
    two = [len(near[item]) for item in chosen]
    four = [
        len(set().union(*(near[other] for other in near[item])) | near[item]) - 1
        if near[item]
        else 0
        for item in chosen
    ]
    others = max(1, len(items) - 1)
    return {2: mean(two) / others, 4: mean(four) / others}


def _draw(evidence: Evidence, reach: dict[int, float], folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    graph, likes = evidence.attributes, evidence.interactions

    def save(name: str) -> None:
        plt.tight_layout()
        with draft(folder / name) as part:
            plt.savefig(part, dpi=110, metadata={"Software": None})
        plt.close()

    plt.figure(figsize=(5, 3.2))
    for label, degree in (
        ("interactions of a user", np.bincount(likes.user)),
        ("interactions of an item", np.bincount(likes.item)),
        ("items of an attribute", np.array([len(held) for held in graph.items_by_edge.values()])),
    ):
        degree = np.sort(degree[degree > 0])[::-1]
        plt.loglog(np.arange(1, len(degree) + 1), degree, label=label)
    plt.xlabel("rank"), plt.ylabel("degree"), plt.legend(fontsize=7)
    save("degree.png")
    coverage = Counter(relation for by in graph.edges.values() for relation in by).most_common(12)[
        ::-1
    ]
    plt.figure(figsize=(5, 3.2))
    plt.barh([relation for relation, _ in coverage], [n / len(graph.titles) for _, n in coverage])
    plt.xlim(0, 1), plt.xlabel("share of items")
    save("coverage.png")
    if likes.has_time:
        plt.figure(figsize=(8, 2.4))
        plt.hist(likes.time.astype("datetime64[s]").astype(object), bins=60)
        plt.ylabel("interactions")
        save("time.png")
    plt.figure(figsize=(3.2, 3.2))
    plt.bar([f"{hops} hops" for hops in reach], list(reach.values()))
    plt.ylim(0, 1), plt.ylabel("share of items reached")
    save("reach.png")
    item = max(
        sorted(graph.edges),
        key=lambda i: len(graph.edge_sets[i]) * (np.log1p(len(graph.titles[i]) < 40)),
    )
    view = graph.neighbourhood(item, 2)
    nodes = sorted(
        view,
        key=lambda node: (
            nx.shortest_path_length(view, ("item", item), node),
            -view.degree[node],
            node,
        ),
    )[:DRAWN]
    view = view.subgraph(nodes)
    plt.figure(figsize=(8, 6))
    place = nx.spring_layout(view, seed=0)
    nx.draw_networkx_edges(view, place, alpha=0.3)
    for kind, colour in (("item", "#4878a8"), ("attribute", "#d08a3c")):
        nx.draw_networkx_nodes(
            view, place, [n for n in view if n[0] == kind], node_size=60, node_color=colour
        )
    nx.draw_networkx_labels(
        view,
        place,
        {n: view.nodes[n]["label"][:28] for n in view},
        font_size=6,
        verticalalignment="bottom",
    )
    plt.axis("off")
    save("neighbourhood.png")
