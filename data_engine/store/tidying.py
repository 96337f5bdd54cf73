"""Names as people write them: the titles, attribute names and relations of a catalogue, cleaned
once, at import. Ids stay, but for those that a name was made into ("genre:Drama").
"""

from collections import Counter
from dataclasses import dataclass, field

import duckdb

from data_engine.errors import ImportRefused
from data_engine.names.cleaning import clean_text, readable_relation, relation_names, surface_names
from data_engine.names.titles import TitleResolver
from data_engine.store.sql import one_row

_CLEAN = "'[!-%''-~]+( [!-%''-~]+)*'"  # ASCII without "&", single spaces: nothing to mend
_TAGS = "'</?(answer|think)>'"  # what the reader of a response cuts at
SHOWN = 6


@dataclass
class Tidied:
    """`understood`: topic → words; `rejects`: rows that lost all of their name, as (words,
    rows).
    """

    understood: dict[str, str] = field(default_factory=dict)
    rejects: list[tuple[str, int]] = field(default_factory=list)


def tidy(db: duckdb.DuckDBPyConnection, nouns: dict[str, str]) -> Tidied:
    """Clean all names in `db`; `nouns` are the user's own for relations (raw name → noun). Raises
    ImportRefused for a noun of a relation that the edges lack.
    """
    found = Tidied()
    _clean_titles(db, found)
    names = _cleaned(db, "attributes", "attribute_id", "name")
    relations = _nouns(db, nouns)
    if names or relations:
        _rename_edges(db, names, relations, found)
    if relations:
        found.understood["relations"] = ", ".join(
            f"{old} → {new}" for old, new in relations.items()
        )
    _drop_disambiguations(db, found)
    return found


def _cleaned(db: duckdb.DuckDBPyConnection, table: str, key: str, column: str) -> dict[str, str]:
    """Id → cleaned text, where cleaning changes it."""
    rows = db.execute(
        f"SELECT {key}, {column} FROM {table} WHERE NOT regexp_full_match({column}, {_CLEAN})"
    ).fetchall()
    pairs = ((identity, text, clean_text(text)) for identity, text in rows)
    return {identity: clean for identity, text, clean in pairs if clean != text}


def _clean_titles(db: duckdb.DuckDBPyConnection, found: Tidied) -> None:
    titles = _cleaned(db, "items", "item_id", "title")
    if titles:
        _put_map(db, "renamed", titles)
        first = min(titles)
        ((old,),) = db.execute("SELECT title FROM items WHERE item_id = ?", [first]).fetchall()
        found.understood["cleaned titles"] = f"{len(titles)} (first: {old!r} → {titles[first]!r})"
        db.execute("UPDATE items SET title = new FROM renamed WHERE item_id = old")
        (empty,) = one_row(db, "SELECT count(*) FROM items WHERE title = ''")
        if empty:
            db.execute("DELETE FROM items WHERE title = ''")
            found.rejects.append(("items whose title holds no character", empty))
    _note_unrecognisable(db, found)


def _note_unrecognisable(db: duckdb.DuckDBPyConnection, found: Tidied) -> None:
    """Titles that cannot mean their item in an answer; all others resolve to themselves."""
    doubtful = db.execute(
        "SELECT item_id, title FROM items WHERE NOT regexp_matches(title, '[A-Za-z0-9]') "
        "OR title IN (SELECT title FROM items GROUP BY 1 HAVING count(*) > 1) ORDER BY 1"
    ).fetchall()
    tagged = f"SELECT item_id FROM items WHERE regexp_matches(title, {_TAGS})"
    lost = TitleResolver(dict(doubtful)).unresolvable()
    if lost := sorted({*lost, *(item for (item,) in db.execute(tagged).fetchall())}):
        words = f"{len(lost)} items, whose title is another's too, no word, or holds a tag"
        found.understood["not told by their title"] = f"{words} (first: {lost[0]})"


def _nouns(db: duckdb.DuckDBPyConnection, nouns: dict[str, str]) -> dict[str, str]:
    """Raw relation → noun, where they differ. Relations stay apart, unless the user joins them."""
    raw = [r for (r,) in db.execute("SELECT DISTINCT relation FROM edges ORDER BY 1").fetchall()]
    apart = relation_names(raw)
    readable = {name: readable_relation(apart[name]) for name in raw}
    bearers = Counter(readable.values())
    readable = {
        name: noun if bearers[noun] == 1 else apart[name] for name, noun in readable.items()
    }
    if strange := sorted(set(nouns) - {*raw, *readable.values()}):
        raise ImportRefused(
            f"--relation {strange[0]}=…: no relation is called so; found {', '.join(raw)}"
        )
    chosen = {name: nouns.get(name, nouns.get(noun, noun)) for name, noun in readable.items()}
    return {name: noun for name, noun in chosen.items() if noun != name}


def _rename_edges(
    db: duckdb.DuckDBPyConnection, names: dict[str, str], relations: dict[str, str], found: Tidied
) -> None:
    """Edges and attributes anew. An id made of a relation and a name is made again of the new
    ones, so that two spellings of one name become one attribute.
    """
    _put_map(db, "renamed", names)
    _put_map(db, "nouns", relations)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE tidied AS "
        "SELECT item_id, coalesce(nouns.new, relation) AS relation, CASE "
        "WHEN attribute_id = relation || ':' || name "
        "THEN coalesce(nouns.new, relation) || ':' || coalesce(renamed.new, name) "
        "WHEN attribute_id = 'text:' || name THEN 'text:' || coalesce(renamed.new, name) "
        "ELSE attribute_id END AS attribute_id, coalesce(renamed.new, name) AS name, relation "
        "AS raw, "
        "position FROM edges JOIN attributes USING (attribute_id) "
        "LEFT JOIN renamed ON attribute_id = renamed.old LEFT JOIN nouns ON relation = nouns.old"
    )
    (empty,) = one_row(db, "SELECT count(*) FROM tidied WHERE name = ''")
    if empty:
        found.rejects.append(("triples whose value holds no character", empty))
    db.execute("DELETE FROM edges")
    db.execute("DELETE FROM attributes")
    kept = "FROM tidied WHERE name <> ''"
    db.execute(
        "INSERT INTO attributes SELECT attribute_id, first(name ORDER BY item_id, raw, position) "
        f"{kept} GROUP BY 1 ORDER BY 1"
    )
    db.execute(
        "INSERT INTO edges SELECT item_id, relation, attribute_id, row_number() OVER ("
        "PARTITION BY item_id, relation ORDER BY place, attribute_id) - 1 FROM (SELECT item_id, "
        "relation, attribute_id, min((raw <> relation, raw, position)) AS place "
        f"{kept} GROUP BY ALL) ORDER BY ALL"
    )
    if names:
        found.understood["cleaned names"] = f"{len(names)} (first: {names[min(names)]!r})"


def _drop_disambiguations(db: duckdb.DuckDBPyConnection, found: Tidied) -> None:
    """ "Stephen Baxter (author)" is called Stephen Baxter, where nobody else is."""
    rows = db.execute("SELECT attribute_id, name FROM attributes WHERE name LIKE '%)'").fetchall()
    if not rows:
        return
    surfaces: dict[str, str] = surface_names(
        db.execute("SELECT attribute_id, name FROM attributes").fetchall()
    )
    changed = {
        identity: surfaces[identity] for identity, name in rows if surfaces[identity] != name
    }
    if changed:
        _put_map(db, "renamed", changed)
        db.execute("UPDATE attributes SET name = new FROM renamed WHERE attribute_id = old")
        shown = ", ".join(changed[identity] for identity in sorted(changed)[:SHOWN])
        found.understood["disambiguations"] = f"{len(changed)} names without their bracket: {shown}"


def _put_map(db: duckdb.DuckDBPyConnection, table: str, mapping: dict[str, str]) -> None:
    db.execute(f"CREATE OR REPLACE TEMP TABLE {table} (old VARCHAR, new VARCHAR)")
    if mapping:
        db.executemany(f"INSERT INTO {table} VALUES (?, ?)", list(mapping.items()))
