"""The plots beside a dataset card: degrees, coverage, times, reach and a neighbourhood."""

from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import draft

DRAWN = 40  # nodes of the neighbourhood that is drawn
BARS = 12  # relations whose coverage is drawn
SMALL = (5, 3.2)  # inches
COLOURS = {"item": "#4878a8", "attribute": "#d08a3c"}


def draw_plots(evidence: Evidence, reach: dict[int, float], folder: Path) -> None:
    """Write the plots as PNG files; reach: hops → share of the items reached."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    _draw_degrees(plt, evidence, folder)
    _draw_coverage(plt, evidence.attributes, folder)
    if evidence.interactions.has_time:
        plt.figure(figsize=(8, 2.4))
        plt.hist(evidence.interactions.time.astype("datetime64[s]").astype(object), bins=60)
        plt.ylabel("interactions")
        _save(plt, folder / "time.png")
    plt.figure(figsize=(3.2, 3.2))
    plt.bar([f"{hops} hops" for hops in reach], list(reach.values()))
    plt.ylim(0, 1), plt.ylabel("share of items reached")
    _save(plt, folder / "reach.png")
    _draw_neighbourhood(plt, evidence.attributes, folder)


def _draw_degrees(plt: Any, evidence: Evidence, folder: Path) -> None:
    graph, likes = evidence.attributes, evidence.interactions
    held = np.array([len(items) for items in graph.items_by_edge.values()])
    degrees = {
        "interactions of a user": np.bincount(likes.user),
        "interactions of an item": np.bincount(likes.item),
        "items of an attribute": held,
    }
    plt.figure(figsize=SMALL)
    for label, degree in degrees.items():
        falling = np.sort(degree[degree > 0])[::-1]
        plt.loglog(np.arange(1, len(falling) + 1), falling, label=label)
    plt.xlabel("rank"), plt.ylabel("degree"), plt.legend(fontsize=7)
    _save(plt, folder / "degree.png")


def _draw_coverage(plt: Any, graph: AttributeGraph, folder: Path) -> None:
    relations = Counter(relation for by in graph.edges.values() for relation in by)
    shown = relations.most_common(BARS)[::-1]
    plt.figure(figsize=SMALL)
    plt.barh([relation for relation, _ in shown], [n / len(graph.titles) for _, n in shown])
    plt.xlim(0, 1), plt.xlabel("share of items")
    _save(plt, folder / "coverage.png")


def _draw_neighbourhood(plt: Any, graph: AttributeGraph, folder: Path) -> None:
    """The nodes nearest to the item with the most edges, of those with a short title."""

    def edges_of(item: str) -> float:
        return float(len(graph.edge_sets[item]) * (np.log1p(len(graph.titles[item]) < 40)))

    item = max(sorted(graph.edges), key=edges_of)
    view = graph.neighbourhood(item, 2)
    hops = nx.single_source_shortest_path_length(view, ("item", item))
    nearest = sorted(view, key=lambda node: (hops[node], -view.degree[node], node))
    view = view.subgraph(nearest[:DRAWN])
    plt.figure(figsize=(8, 6))
    place = nx.spring_layout(view, seed=0)
    nx.draw_networkx_edges(view, place, alpha=0.3)
    for kind, colour in COLOURS.items():
        nodes = [node for node in view if node[0] == kind]
        nx.draw_networkx_nodes(view, place, nodes, node_size=60, node_color=colour)
    labels = {node: view.nodes[node]["label"][:28] for node in view}
    nx.draw_networkx_labels(view, place, labels, font_size=6, verticalalignment="bottom")
    plt.axis("off")
    _save(plt, folder / "neighbourhood.png")


def _save(plt: Any, path: Path) -> None:
    plt.tight_layout()
    with draft(path) as part:
        plt.savefig(part, dpi=110, metadata={"Software": None})
    plt.close()
