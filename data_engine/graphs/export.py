"""The graphs in other tools' formats: GEXF and GraphML (networkx), Parquet, and PyTorch
Geometric.
"""

from pathlib import Path

import networkx as nx
import numpy as np

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.attributes import AttributeGraph
from data_engine.runtime.atomic import draft
from data_engine.store.database import Store
from data_engine.store.sql import literal

ENDINGS = (".graphml", ".gexf", ".parquet", ".pt")


def export_graph(store: Store, out: Path, item: str | None, hops: int) -> dict[str, object]:
    """Write `out` in the format of its ending, whole or not at all; returns the sizes.

    .graphml, .gexf: the attribute graph, whole or `hops` around an item. .parquet: its edges with
    titles and names, one a row. .pt: both graphs, for `HeteroData.from_dict(torch.load(out))`.
    Raises DataError for another ending or an unknown item.
    """
    if out.suffix not in ENDINGS:
        raise DataError(f"cannot write {out}: the ending must be one of {', '.join(ENDINGS)}")
    if item is not None and out.suffix in (".parquet", ".pt"):
        raise DataError(
            f"{out.suffix} holds the whole graph: leave out --item, or write .graphml or .gexf"
        )
    if item is not None and not store.rows("SELECT 1 FROM items WHERE item_id = ?", [item]):
        raise DataError(f"no item {item!r} in {store.path}")
    with draft(out) as part:
        sizes = (
            _write_networkx(store, out.suffix, part, item, hops)
            if out.suffix in (".graphml", ".gexf")
            else _WRITERS[out.suffix](store, part)
        )
    return {"file": str(out), **sizes}


def _write_networkx(
    store: Store, ending: str, part: Path, item: str | None, hops: int
) -> dict[str, object]:
    graph = AttributeGraph.from_store(store)
    view = graph.as_networkx() if item is None else graph.neighbourhood(item, hops)
    plain = nx.relabel_nodes(view, {node: ":".join(node) for node in view})
    (nx.write_graphml if ending == ".graphml" else nx.write_gexf)(plain, part)
    return {"nodes": plain.number_of_nodes(), "edges": plain.number_of_edges()}


def _write_parquet(store: Store, part: Path) -> dict[str, object]:
    ((edges,),) = store.rows(
        "COPY (SELECT item_id, title, relation, attribute_id, name, position FROM edges JOIN "
        "items USING (item_id) "
        "JOIN attributes USING (attribute_id) ORDER BY item_id, relation, position, "
        f"attribute_id) TO {literal(part)} (FORMAT parquet)"
    )
    return {"edges": edges}


def _write_pyg(store: Store, part: Path) -> dict[str, object]:
    """Tensors and lists only, in the shape of `HeteroData.to_dict()`, so that it loads with
    `weights_only=True`.
    """
    import torch

    arrays = GraphArrays.of(store)
    owner, fan = (
        np.repeat(np.arange(len(start) - 1), np.diff(start))
        for start in (arrays.edge_start, arrays.like_start)
    )

    def pairs(source: np.ndarray, target: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.stack([source, target]).astype(np.int64))

    nodes = {"item": arrays.item_ids, "attribute": arrays.attribute_ids, "user": arrays.user_ids}
    data: dict[object, dict[str, object]] = {"_global_store": {"graph_digest": arrays.digest}}
    data |= {kind: {"num_nodes": len(ids), "ids": list(ids)} for kind, ids in nodes.items()}
    data["item"]["title"], data["attribute"]["name"] = list(arrays.titles), list(arrays.names)
    for k, relation in enumerate(arrays.relations):
        chosen = arrays.relation == k
        data["item", relation, "attribute"] = {
            "edge_index": pairs(owner[chosen], arrays.attribute[chosen])
        }
    facts = {
        name: torch.from_numpy(np.array(getattr(arrays, name)))
        for name in ("rating", "time", "liked")
    }
    data["user", "interacts", "item"] = {"edge_index": pairs(fan, arrays.item), **facts}
    torch.save(data, part)
    return {"nodes": sum(map(len, nodes.values())), "edges": len(owner) + len(fan)}


_WRITERS = {".parquet": _write_parquet, ".pt": _write_pyg}
