"""What the explorer page shows: the Examples of the store, and one of them with its graph."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from data_engine.graphs.mapped import MappedGraph
from data_engine.schema import Example
from data_engine.store.database import Store
from reward_server.errors import UnknownExamples
from reward_server.server.state import ServerState

PAGE = (Path(__file__).parent / "explorer.html").read_text(encoding="utf-8")
SHARED = 8  # attributes drawn beside the conditions
LISTING = """
SELECT example_id, kind, split, json_extract_string(body, '$.query') AS query FROM examples
WHERE (? IS NULL OR kind = ?) AND contains(lower(query), lower(?))
ORDER BY position LIMIT ?
"""


def list_examples(
    state: ServerState, kind: str | None, search: str, limit: int
) -> list[dict[str, Any]]:
    """Examples in stored order, of one kind or all, with the searched words in their query.

    Keys: example_id, kind, split, query.
    """
    with Store.open(state.store, read_only=True) as store:
        rows = store.rows(LISTING, [kind, kind, search, limit])
    return [dict(zip(("example_id", "kind", "split", "query"), row, strict=True)) for row in rows]


def describe(state: ServerState, example_id: str, show_gold: bool) -> dict[str, Any]:
    """One Example for a reader, with a small piece of the graph around its items.

    Gold, chains and conditions, by which it is scored, only with `show_gold`. Raises
    UnknownExamples.
    """
    with Store.open(state.store, read_only=True) as store:
        example = store.example(example_id)
    if example is None:
        raise UnknownExamples(f"no example {example_id!r} in this store")
    graph = state.snapshot.graph
    items = list(dict.fromkeys([*example.candidates, *example.anchors]))
    titles = _titles(graph, items)
    conditions = example.conditions if show_gold else ()
    asked = {graph.code(c.relation, c.value) for c in conditions}
    drawn = [code for code in [*asked, *_common(graph, items, asked)] if code is not None]
    return {
        "example_id": example_id,
        "kind": example.kind,
        "query": example.query,
        "gold_shown": show_gold,
        "items": [
            {"id": item, "title": titles[item], "role": _role(item, example, show_gold)}
            for item in items
        ],
        "attributes": [_attribute(graph, code, code in asked) for code in drawn],
        "edges": _edges(graph, items, drawn),
        "chains": _chains(example, titles) if show_gold else [],
    }


def _common(graph: MappedGraph, items: list[str], asked: Collection[int | None]) -> list[int]:
    """Edge codes that most of the items share, beside those that are asked for."""
    count: Counter[int] = Counter()
    for item in items:
        count.update(graph.edges(item))
    return [code for code, n in count.most_common() if n > 1 and code not in asked][:SHARED]


def _role(item: str, example: Example, show_gold: bool) -> str:
    if show_gold and item in example.gold:
        return "gold"
    return "candidate" if item in example.candidates else "named"


def _attribute(graph: MappedGraph, code: int, asked: bool) -> dict[str, Any]:
    return {
        "id": str(code),
        "relation": graph.relations[code >> 32],
        "name": graph.arrays.names[code & 0xFFFFFFFF],
        "asked": asked,
    }


def _edges(graph: MappedGraph, items: list[str], codes: list[int]) -> list[list[str]]:
    """[item, code] of every edge between them."""
    found = []
    for item in items:
        held = graph.edges(item)
        found += [[item, str(code)] for code in codes if code in held]
    return found


def _chains(example: Example, titles: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for chain in example.chains:
        steps = [step.text for step in chain.steps]
        found.append({"flaw": chain.flaw, "answer": titles.get(chain.answer, ""), "steps": steps})
    return found


def _titles(graph: MappedGraph, items: list[str]) -> dict[str, str]:
    """Titles of the items that the graph holds."""
    arrays = graph.arrays
    found = {}
    for item in items:
        place = arrays.item_ids.find(item)
        if place is not None:
            found[item] = arrays.titles[place]
    return found
