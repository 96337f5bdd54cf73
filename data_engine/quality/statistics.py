"""Figures of a store: sizes, coverage of the relations, degrees."""

from collections import Counter
from pathlib import Path

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from data_engine.store.ratings import liked_share, rating_range, warning


def statistics(path: Path) -> dict[str, object]:
    """Sizes, coverage by relation, and what can be asked of the store at `path`.

    Raises DataError where there is no catalogue yet.
    """
    evidence = Evidence.load(path)
    graph, interactions = evidence.attributes, evidence.interactions
    relations = Counter(relation for by in graph.edges.values() for relation in by)
    return {
        "domain": evidence.domain,
        "graph_digest": evidence.digest,
        "items": len(graph.titles),
        "users": len(interactions.users),
        "interactions": len(interactions.user),
        "liked": int(interactions.positive.sum()),
        **_likes(path),
        "timed": interactions.has_time,
        "edges": sum(map(len, graph.edge_sets.values())),
        "coverage": {r: round(n / len(graph.titles), 3) for r, n in relations.most_common()},
        "items_with_card": len(evidence.cards.rows),
        "card": ", ".join(f"{c.relation} ×{c.width}" for c in evidence.cards.columns),
        "embedded": len(evidence.embeddings),
        "user_columns": ", ".join(sorted(evidence.demographics)) or "none",
    }


def _likes(path: Path) -> dict[str, object]:
    """The scale of the ratings, the share of likes, and a warning where that tells little."""
    with Store.open(path, read_only=True) as store:
        scale, share = store.scale, liked_share(store.db, store.scale)
        rated, *_ = rating_range(store.db)
    bounds = f"{scale.low:g} to {scale.high:g}, liked from {scale.liked_from:g}"
    found: dict[str, object] = {
        "scale": bounds if rated else "none: no rating says what is liked",
        "liked_share": "no ratings" if share is None else round(share, 3),
    }
    return found | ({"warning": doubt} if (doubt := warning(share)) else {})


def coverage(store: Store) -> dict[str, float]:
    """Relation → share of the items for which it is known, the most frequent first."""
    items = store.counts()["items"]
    rows = store.rows(
        "SELECT relation, count(DISTINCT item_id) FROM edges GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return {relation: round(n / items, 3) for relation, n in rows}


def degrees(store: Store) -> dict[str, dict[str, int]]:
    """How many edges and interactions things have: least, quartiles, most."""
    counted = {
        "edges of an item": "SELECT count(*) AS n FROM edges GROUP BY item_id",
        "items of an attribute": "SELECT count(*) AS n FROM edges GROUP BY attribute_id",
        "interactions of a user": "SELECT count(*) AS n FROM interactions GROUP BY user_id",
        "interactions of an item": "SELECT count(*) AS n FROM interactions GROUP BY item_id",
    }
    names = ("least", "quarter", "half", "three quarters", "most")
    found = {
        what: store.rows(f"SELECT quantile_disc(n, [0, .25, .5, .75, 1]) FROM ({sql})")[0][0]
        for what, sql in counted.items()
    }
    return {
        what: dict(zip(names, figures, strict=True)) for what, figures in found.items() if figures
    }
