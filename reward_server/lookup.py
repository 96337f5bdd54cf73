"""Look-ups in the attribute graph, for a policy that asks while it thinks: what an item has, and which items have a value."""

from collections.abc import Sequence

from data_engine.graphs.mapped import MappedGraph
from data_engine.names.titles import TitleResolver, key
from reward_server.wire import Look, Looked


def look_up(calls: Sequence[Look], graph: MappedGraph, resolver: TitleResolver) -> list[Looked]:
    """What each call finds, in order: names in the order of the alphabet, titles in the order of `among`. Nothing is guessed: a call that cannot
    be understood finds nothing and says why."""
    return [
        _item(call, graph, resolver) if call.tool == "lookup" else _holders(call, graph)
        for call in calls
    ]


def _item(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    if graph.number(call.relation) < 0:
        return _no_relation(call, graph)
    meant = resolver.resolve(call.item, frozenset(call.among))
    if meant.status != "ok":
        return Looked(
            [],
            f"{call.item[:100]!r} is {'several items' if meant.status == 'ambiguous' else 'no item'} here",
        )
    return Looked(
        sorted({graph.arrays.names[a] for a in graph.attributes(meant.items[0], call.relation)}), ""
    )


def _holders(call: Look, graph: MappedGraph) -> Looked:
    if graph.number(call.relation) < 0:
        return _no_relation(call, graph)
    wanted, names, places = (
        key(call.value),
        graph.arrays.names,
        ((item, graph.arrays.item_ids.find(item)) for item in call.among),
    )
    having = (
        place
        for item, place in places
        if place is not None
        and any(key(names[a]) == wanted for a in graph.attributes(item, call.relation))
    )
    return Looked([graph.arrays.titles[place] for place in having], "")


def _no_relation(call: Look, graph: MappedGraph) -> Looked:
    return Looked(
        [], f"no relation {call.relation[:100]!r}: choose from {', '.join(graph.relations)}"
    )
