"""Who likes what: edges from items to the groups of users that like them more than others do.

An item is popular with a group when its share of the group's likes is LIFT times its share of all
likes (the tf of the group over the item's frequency overall), from SUPPORT likes in the group. It
is known for items with KNOWN likes; popular with none is "everyone".
"""

from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.extending import with_edges
from data_engine.store.database import Store
from data_engine.store.ratings import liked_sql
from data_engine.store.sql import Row

RELATION, EVERYONE, LIFT, SUPPORT, KNOWN = "popular_with", "popular_with/everyone", 1.4, 10, 30
COLUMNS = ("gender", "age", "occupation")


def with_audiences(graph: AttributeGraph, store: Store) -> AttributeGraph:
    """The graph with the edges of RELATION, where users have attributes; attribute ids are like
    "popular_with/gender/F".
    """
    rows = _audiences(store)
    if not any(audience for _, audience in rows):
        return graph
    found: dict[str, list[str]] = {}
    for item, audience in rows:
        found.setdefault(item, []).append(f"{RELATION}/{audience}" if audience else EVERYONE)
    names = {
        value: value.removeprefix(f"{RELATION}/").replace("/", " ", 1)
        for values in found.values()
        for value in values
    }
    edges = graph.edges | {
        item: graph.edges.get(item, {}) | {RELATION: tuple(values)}
        for item, values in found.items()
    }
    return AttributeGraph(graph.titles, graph.names | names, edges)


def with_audience_edges(arrays: GraphArrays, store: Store) -> GraphArrays:
    """As `with_audiences`, of the graph as arrays."""
    rows = _audiences(store)
    if not any(audience for _, audience in rows):
        return arrays
    values = [f"{RELATION}/{audience}" if audience else EVERYONE for _, audience in rows]
    names = {value: value.removeprefix(f"{RELATION}/").replace("/", " ", 1) for value in values}
    items = [item for item, _ in rows]
    return with_edges(arrays, RELATION, list(zip(items, values, strict=True)), names)


def _audiences(store: Store) -> list[Row]:
    """(item, group) of what is popular with a group, (item, None) of what is with no one more."""
    groups = " UNION ALL ".join(
        f"SELECT user_id, '{c}/' || {c} AS audience FROM users WHERE {c} IS NOT NULL AND {c} <> "
        "'other'"
        for c in COLUMNS
    )
    return store.rows(
        "WITH likes AS (SELECT user_id, item_id FROM interactions WHERE "
        f"{liked_sql(store.scale.liked_from)}), "
        f"members AS ({groups}), known AS (SELECT item_id, count(*) AS n FROM likes GROUP BY 1 "
        f"HAVING count(*) >= {KNOWN}), "
        "sizes AS (SELECT audience, count(*) AS n FROM likes JOIN members USING (user_id) "
        "GROUP BY 1), "
        "shares AS (SELECT item_id, audience, count(*) AS n FROM likes JOIN members USING "
        "(user_id) GROUP BY 1, 2) "
        "SELECT known.item_id, shares.audience FROM known LEFT JOIN (shares JOIN sizes USING "
        "(audience)) ON shares.item_id = known.item_id "
        f"AND shares.n >= {SUPPORT} AND shares.n * (SELECT count(*) FROM likes) >= {LIFT} * "
        "known.n * sizes.n ORDER BY 1, 2"
    )
