"""What is wrong with a catalogue, and the little of it that can be mended without guessing.
Identity is the id, never the name.

A finding is safe to fix when the fix throws away nothing that means anything: an exact copy, an
edge to nothing, an attribute of nothing, another spelling of a name that is all an attribute is.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from data_engine.names.cleaning import clean_text
from data_engine.runtime.config import Config
from data_engine.store.database import Store
from data_engine.store.sql import append

SHOWN = 5


class Finding(Config):
    """`count` cases of one kind, the first few shown, and what --fix does about them (None:
    nothing, a person must look).
    """

    kind: str
    count: int
    shown: list[str]
    fix: str | None = None


class Check(Config):
    """SELECTs one text a case; `repair`, where there is one, is SQL that is always safe."""

    kind: str
    cases: str
    fix: str | None = None
    repair: str | None = None


CHECKS = (
    Check(
        kind="interactions twice in the same words",
        cases="SELECT user_id || ' → ' || item_id FROM interactions GROUP BY user_id, item_id, "
        "rating, timestamp, liked HAVING count(*) > 1",
        fix="one of them is kept",
        repair="DELETE FROM interactions WHERE rowid NOT IN "
        "(SELECT min(rowid) FROM interactions GROUP BY user_id, item_id, rating, timestamp, liked)",
    ),
    Check(
        kind="users with several ratings of one item",
        cases="SELECT user_id || ' → ' || item_id FROM interactions GROUP BY user_id, item_id "
        "HAVING count(DISTINCT (rating, timestamp)) > 1",
    ),
    Check(
        kind="edges twice",
        cases="SELECT item_id || ' ' || relation || ' ' || attribute_id FROM edges GROUP BY "
        "item_id, relation, attribute_id HAVING count(*) > 1",
        fix="one of them is kept",
        repair="DELETE FROM edges WHERE rowid NOT IN (SELECT min(rowid) FROM edges GROUP BY "
        "item_id, relation, attribute_id)",
    ),
    Check(
        kind="edges from or to nothing",
        cases="SELECT item_id || ' ' || relation || ' ' || attribute_id FROM edges WHERE "
        "item_id NOT IN (SELECT item_id FROM items) "
        "OR attribute_id NOT IN (SELECT attribute_id FROM attributes)",
        fix="they are removed",
        repair="DELETE FROM edges WHERE item_id NOT IN (SELECT item_id FROM items) OR "
        "attribute_id NOT IN (SELECT attribute_id FROM attributes)",
    ),
    Check(
        kind="attributes of no item",
        cases="SELECT attribute_id FROM attributes WHERE attribute_id NOT IN (SELECT "
        "attribute_id FROM edges)",
        fix="they are removed",
        repair="DELETE FROM attributes WHERE attribute_id NOT IN (SELECT attribute_id FROM edges)",
    ),
    Check(
        kind="interactions with unknown items",
        cases="SELECT user_id || ' → ' || item_id FROM interactions WHERE item_id NOT IN "
        "(SELECT item_id FROM items)",
        fix="they are removed",
        repair="DELETE FROM interactions WHERE item_id NOT IN (SELECT item_id FROM items)",
    ),
    Check(
        kind="items without a single edge",
        cases="SELECT title FROM items WHERE item_id NOT IN (SELECT item_id FROM edges)",
    ),
    Check(
        kind="items nobody touched",
        cases="SELECT title FROM items WHERE item_id NOT IN (SELECT item_id FROM interactions)",
    ),
    Check(
        kind="titles of several items",
        cases="SELECT title || ': ' || string_agg(item_id, ', ' ORDER BY item_id) FROM items "
        "GROUP BY title HAVING count(*) > 1",
    ),
    Check(
        kind="names of several attributes of one relation",
        cases="SELECT relation || ' ' || name || ': ' || string_agg(DISTINCT attribute_id, ', "
        "') FROM edges JOIN attributes USING (attribute_id) "
        "GROUP BY relation, name HAVING count(DISTINCT attribute_id) > 1",
    ),
    Check(
        kind="suspicious links: the year of the linked work is not the title's",
        cases="SELECT any_value(title) || ' ↔ ' || string_agg(DISTINCT name, ', ') "
        "FROM edges JOIN items USING (item_id) JOIN attributes USING (attribute_id) "
        "WHERE relation = 'year' AND regexp_matches(title, '\\(\\d{4}\\)\\s*$') AND "
        "regexp_matches(name, '^\\d{4}$') "
        "GROUP BY item_id "
        "HAVING max(abs(name::INT - regexp_extract(title, '\\((\\d{4})\\)\\s*$', 1)::INT)) > 1",
    ),
    Check(
        kind="suspicious links: two sources name no director in common",
        cases="SELECT any_value(title) || ' ↔ ' || string_agg(DISTINCT relation || ' ' || "
        "name, ', ') FROM edges JOIN items USING (item_id) "
        "JOIN attributes USING (attribute_id) WHERE lower(relation) IN ('director', "
        "'directed_by', 'directed by') GROUP BY item_id "
        "HAVING count(DISTINCT relation) > 1 AND count(DISTINCT lower(name)) = count(*)",
    ),
)


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


ALIKE = "attributes that differ in case, encoding or white space only"


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
    merges, apart = [], []
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
    edges = Counter()
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


def _apply(store: Store, merges: list[Merge]) -> None:
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


def _found_alike(store: Store) -> Iterator[Finding]:
    merges, apart = spellings(store)
    if merges:
        shown = [str(merge) for merge in merges]
        more = " …" if len(shown) > SHOWN else ""
        fix = f"they are merged into the most frequent spelling: {'; '.join(shown[:SHOWN])}{more}"
        yield Finding(kind=ALIKE, count=len(merges), shown=shown[:SHOWN], fix=fix)
    if apart:
        kind = f"{ALIKE}, but have ids of their own"
        yield Finding(kind=kind, count=len(apart), shown=apart[:SHOWN])


def examine(store: Store) -> list[Finding]:
    """Every check that found something, in a fixed order."""
    found = []
    for check in CHECKS:
        (count,) = store.rows(f"SELECT count(*) FROM ({check.cases})")[0]
        if count:
            shown = [
                case
                for (case,) in store.rows(f"SELECT * FROM ({check.cases}) ORDER BY 1 LIMIT {SHOWN}")
            ]
            found.append(Finding(kind=check.kind, count=count, shown=shown, fix=check.fix))
    return [*found, *_found_alike(store)]


def repair(store: Store) -> list[Finding]:
    """Mend what is safe, in one transaction, and return what was mended. A changed graph loses its
    embeddings and Examples.
    """
    mended = [finding for finding in examine(store) if finding.fix]
    if mended:
        with store.transaction():
            for check in CHECKS:
                if check.repair:
                    store.db.execute(check.repair)
            if merges := spellings(store)[0]:
                _apply(store, merges)
            store.drop_derived()
    return mended


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
