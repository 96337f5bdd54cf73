"""Look-ups in the attribute graph, for a policy that asks while it thinks: the values of an item's
relation, and the items that have a value.
"""

from collections.abc import Sequence

from data_engine.graphs.mapped import MappedGraph
from data_engine.names.titles import TitleResolver, key
from reward_server.wire import Look, Looked

SHOWN = 100  # characters of what was asked that a problem repeats


def look_up(calls: Sequence[Look], graph: MappedGraph, resolver: TitleResolver) -> list[Looked]:
    """The result of each call, in order: names of values in alphabetical order, or titles in the
    order of `among`.

    Nothing is guessed: a call that cannot be understood finds nothing and says why.
    """
    return [_look_up(call, graph, resolver) for call in calls]


def _look_up(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    if graph.number(call.relation) < 0:
        known = ", ".join(graph.relations)
        return Looked([], f"no relation {call.relation[:SHOWN]!r}: choose from {known}")
    if call.tool == "lookup":
        return _values(call, graph, resolver)
    return _holders(call, graph)


def _values(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    found = resolver.resolve(call.item, frozenset(call.among))
    if found.status != "ok":
        what = "several items" if found.status == "ambiguous" else "no item"
        return Looked([], f"{call.item[:SHOWN]!r} is {what} here")
    attributes = graph.attributes(found.items[0], call.relation)
    return Looked(sorted({graph.arrays.names[a] for a in attributes}), "")


def _holders(call: Look, graph: MappedGraph) -> Looked:
    wanted, titles = key(call.value), []
    for item in call.among:
        place = graph.arrays.item_ids.find(item)
        names = (key(graph.arrays.names[a]) for a in graph.attributes(item, call.relation))
        if place is not None and wanted in names:
            titles.append(graph.arrays.titles[place])
    return Looked(titles, "")
