"""Graph arrays with the edges of one more relation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from data_engine.graphs.arrays import GraphArrays, Strings


def with_edges(
    arrays: GraphArrays,
    relation: str,
    edges: Iterable[tuple[str, str]],
    names: Mapping[str, str],
) -> GraphArrays:
    """The arrays with edges (item id, attribute id) of a new relation, in credit order per item.

    names: of all the attributes of the edges. Items must be known already.
    """
    relations = sorted({*arrays.relations, relation})
    named = dict(zip(arrays.attribute_ids, arrays.names, strict=True)) | dict(names)
    values = sorted(named)
    place = lru_cache(1)(arrays.item_ids.find)  # the edges of an item come one after the other
    listed = list(edges)
    new_relation = np.full(len(listed), relations.index(relation))
    new_attribute = _numbers(values, [value for _, value in listed])
    new_owner = np.array([place(item) for item, _ in listed], np.int64)
    relation_of = _numbers(relations, arrays.relations)[arrays.relation]
    attribute_of = _numbers(values, arrays.attribute_ids)[arrays.attribute]
    owner_of = np.repeat(np.arange(len(arrays.item_ids)), np.diff(arrays.edge_start))
    owner = np.concatenate([owner_of, new_owner])
    whole = np.concatenate([relation_of, new_relation])
    order = np.lexsort((whole, owner))  # stable: the order within a relation stays
    counts = np.bincount(owner, minlength=len(arrays.item_ids))
    return replace(
        arrays,
        attribute_ids=Strings.pack(values),
        names=Strings.pack([named[value] for value in values]),
        relations=Strings.pack(relations),
        edge_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        relation=whole[order].astype(np.uint16),
        attribute=np.concatenate([attribute_of, new_attribute])[order].astype(np.int32),
    )


def _numbers(sorted_names: list[str], wanted: Iterable[str]) -> np.ndarray:
    """The place of each of the wanted names."""
    places = {name: place for place, name in enumerate(sorted_names)}
    return np.array([places[name] for name in wanted], np.int64)
