"""Attributes that are the same name in several spellings: found, and merged where that is safe.

Identity is the id, never the name: only attributes that are nothing but their name are merged.
"""

from collections import Counter, defaultdict
from typing import NamedTuple

from data_engine.names.cleaning import clean_text
from data_engine.store.database import Store
from data_engine.store.sql import append


class Merge(NamedTuple):
    """Attributes of one relation whose names differ in spelling only: `lost` (id → name) become
    `kept`, under `name`.
    """

    relation: str
    kept: str
    name: str
    lost: dict[str, str]

    def __str__(self) -> str:
        return f"{self.relation} {self.name} ← {', '.join(map(_visible, self.lost.values()))}"


def spellings(store: Store) -> tuple[list[Merge], list[str]]:
    """What can be merged, because no id keeps the attributes apart, and in words what cannot.

    An attribute whose id is its relation (or "text") and its name is nothing but that name. Kept is
    the most frequent spelling: that of most edges.
    """
    groups: defaultdict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
    for relation, attribute, name, edges in store.rows(
        "SELECT relation, attribute_id, name, count(*) FROM edges JOIN attributes "
        "USING (attribute_id) GROUP BY ALL ORDER BY relation, attribute_id"
    ):
        groups[relation, clean_text(name).casefold()].append((attribute, name, edges))
    merges, apart = list[Merge](), list[str]()
    for (relation, plain), alike in groups.items():
        if len(alike) == 1 or not plain:
            continue
        named = [bearer for bearer in alike if _is_its_name(relation, bearer[0], plain)]
        if len(named) > 1:
            merges.append(_merge(relation, named))
        if len(named) < len(alike) and len({name for _, name, _ in alike}) > 1:
            shown = ", ".join(f"{_visible(name)} ({attribute})" for attribute, name, _ in alike)
            apart.append(f"{relation}: {shown}")
    return merges, apart


def _is_its_name(relation: str, attribute: str, plain: str) -> bool:
    heads = (f"{relation}:", "text:")
    return any(
        attribute.startswith(head) and clean_text(attribute[len(head) :]).casefold() == plain
        for head in heads
    )


def _merge(relation: str, alike: list[tuple[str, str, int]]) -> Merge:
    """Among spellings as frequent, one that is not all capitals is kept."""
    edges: Counter[str] = Counter()
    for _, name, count in alike:
        edges[clean_text(name)] += count
    spelled = min(edges, key=lambda name: (-edges[name], name.isupper(), name))
    bearers = [(attribute, name) for attribute, name, _ in alike if clean_text(name) == spelled]
    kept = min(bearers, key=lambda bearer: (bearer[1] != spelled, bearer))[0]
    lost = {attribute: name for attribute, name, _ in alike if attribute != kept}
    return Merge(relation, kept, spelled, lost)


def _visible(name: str) -> str:
    """A name as it is, or with its odd characters escaped where it looks like another."""
    return name if clean_text(name) == name else ascii(name)


def apply_merges(store: Store, merges: list[Merge]) -> None:
    """Edges go to the kept attribute, the first of several of an item; the credit order stays."""
    into: dict[str, str] = {}
    for merge in merges:  # an attribute of two relations may be in two merges
        kept = _end(into, merge.kept)
        into |= {end: kept for lost in merge.lost if (end := _end(into, lost)) != kept}
    names = {_end(into, merge.kept): merge.name for merge in reversed(merges)}  # the first decides
    db = store.db
    ends = [(lost, _end(into, lost)) for lost in into]
    for table, rows in (("merged", ends), ("named", [*names.items()])):
        db.execute(f"CREATE OR REPLACE TEMP TABLE {table} (old TEXT, new TEXT)")
        append(db, table, ("old", "new"), rows)
    db.execute("UPDATE attributes SET name = new FROM named WHERE attribute_id = old")
    db.execute("""
        CREATE OR REPLACE TEMP TABLE respelled AS
        SELECT item_id, relation, coalesce(new, attribute_id) AS attribute_id,
            min(position) AS position
        FROM edges LEFT JOIN merged ON attribute_id = old
        SEMI JOIN (SELECT item_id, relation FROM edges JOIN merged ON attribute_id = old) touched
            USING (item_id, relation)
        GROUP BY ALL""")
    touched = "SELECT (item_id, relation) FROM respelled"
    db.execute(f"DELETE FROM edges WHERE (item_id, relation) IN ({touched})")
    db.execute("""
        INSERT INTO edges SELECT item_id, relation, attribute_id,
            row_number() OVER (PARTITION BY item_id, relation ORDER BY position, attribute_id) - 1
        FROM respelled""")
    db.execute("DELETE FROM attributes WHERE attribute_id IN (SELECT old FROM merged)")


def _end(into: dict[str, str], attribute: str) -> str:
    """What an attribute becomes after all merges so far."""
    while attribute in into:
        attribute = into[attribute]
    return attribute
