"""Look-ups in the attribute graph, for a policy that asks while it thinks: the values of an item's
relation, and the items that have a value.
"""

from data_engine.graphs.mapped import MappedGraph
from data_engine.names.titles import TitleResolver, key
from reward_server.wire import Look, Looked

SHOWN = 100  # characters of what was asked that a problem repeats


def look_up(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    """The result of a call: names of values in alphabetical order, or titles in the order of
    `among`, which are ids or titles.

    Nothing is guessed: a call that cannot be understood finds nothing and says why.
    """
    if graph.number(call.relation) < 0:
        known = ", ".join(graph.relations)
        return Looked([], f"no relation {call.relation[:SHOWN]!r}: choose from {known}")
    if call.tool == "lookup":
        return _values(call, graph, resolver)
    return _holders(call, graph, resolver)


def call_tool(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    """As `look_up` of a call that a model made: a title of `among` that names no item is a
    problem, where `look_up` passes over it.
    """
    for title in call.among:
        if _item(title, graph, resolver) is None:
            return Looked([], _problem(title, resolver))
    return look_up(call, graph, resolver)


def _values(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    found = resolver.resolve(call.item, frozenset(call.among))
    if found.status != "ok":
        return Looked([], _problem(call.item, resolver))
    attributes = graph.attributes(found.items[0], call.relation)
    return Looked(sorted({graph.arrays.names[a] for a in attributes}), "")


def _holders(call: Look, graph: MappedGraph, resolver: TitleResolver) -> Looked:
    wanted, titles = key(call.value), []
    if not wanted:
        return Looked([], f"no value is given: say which {call.relation} the items should have")
    for given in call.among:
        item = _item(given, graph, resolver)
        place = None if item is None else graph.arrays.item_ids.find(item)
        if item is None or place is None:
            continue
        names = (key(graph.arrays.names[a]) for a in graph.attributes(item, call.relation))
        if wanted in names:
            titles.append(graph.arrays.titles[place])
    return Looked(titles, "")


def _item(given: str, graph: MappedGraph, resolver: TitleResolver) -> str | None:
    """The item with this id or title, None where there is none or several have the title."""
    if graph.arrays.item_ids.find(given) is not None:
        return given
    found = resolver.resolve(given)
    return found.items[0] if found.status == "ok" else None


def _problem(title: str, resolver: TitleResolver) -> str:
    several = resolver.resolve(title).status == "ambiguous"
    return f"{title[:SHOWN]!r} is {'several items' if several else 'no item'} here"
