"""Items in words, for a sentence encoder."""

from collections.abc import Sequence

from data_engine.graphs.attributes import AttributeGraph

VALUES = 4  # of each relation in an item's text


def item_texts(graph: AttributeGraph, items: Sequence[str]) -> list[str]:
    """Title and attributes of each item: "Heat (1995). director: Michael Mann. genre: Crime"."""
    return [_text(graph, item) for item in items]


def _text(graph: AttributeGraph, item: str) -> str:
    parts = [graph.titles[item]]
    for relation, values in sorted(graph.edges.get(item, {}).items()):
        names = ", ".join(graph.names[value] for value in values[:VALUES])
        parts.append(f"{relation}: {names}")
    return ". ".join(parts)
