"""How every importer fills a store: SELECTs over files, streamed by DuckDB into its empty tables.

All of an import is one transaction. Rows that cannot be read (a word where a number should be, too
few fields, no id) are counted, with file and line where the reader knows them, never dropped in
silence: see `notes` and `finishing`.
"""

import duckdb

from data_engine.errors import ImportRefused
from data_engine.store.notes import note_reject
from data_engine.store.sql import one_row

_BAD_ROW = (
    "user_id IS NULL OR item_id IS NULL OR NOT isfinite(rating) OR NOT isfinite(seconds) "
    "OR abs(seconds) > 9e18"
)
_WHOLE_EDGE = "item_id IS NOT NULL AND relation IS NOT NULL AND attribute_id IS NOT NULL"


def put_items(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (item_id, title). The same row twice is one item; one id with two titles is refused
    (ImportRefused).
    """
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT DISTINCT item_id, title FROM ({select})"
    )
    _note_incomplete(db, "items without id or title", "item_id IS NULL OR title IS NULL")
    twice = db.execute(
        "SELECT item_id FROM incoming WHERE title IS NOT NULL "
        "GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
    ).fetchall()
    if twice:
        raise ImportRefused(
            f"{len(twice)} items share an id with another (first: {twice[0][0]!r}): "
            "ids must be unique"
        )
    db.execute(
        "INSERT INTO items SELECT item_id, title FROM incoming "
        "WHERE item_id IS NOT NULL AND title IS NOT NULL ORDER BY item_id"
    )


def put_edges(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (item_id, relation, attribute_id, name, place), `place` the order in the file: the
    credit order of a relation.

    The same edge twice is one edge, at its first place; the first name an attribute has is its
    name.
    """
    db.execute(
        "CREATE OR REPLACE TEMP TABLE incoming AS "
        f"SELECT item_id, relation, attribute_id, name, place FROM ({select})"
    )
    _note_incomplete(db, "triples without item, relation or value", f"NOT ({_WHOLE_EDGE})")
    db.execute(
        "INSERT INTO attributes SELECT attribute_id, arg_min(name, place) "
        f"FROM incoming WHERE {_WHOLE_EDGE} GROUP BY 1 ORDER BY 1"
    )
    db.execute(f"""
        INSERT INTO edges SELECT item_id, relation, attribute_id,
            row_number() OVER (PARTITION BY item_id, relation ORDER BY place, attribute_id) - 1
        FROM (SELECT item_id, relation, attribute_id, min(place) AS place
            FROM incoming WHERE {_WHOLE_EDGE} GROUP BY ALL) ORDER BY ALL""")


def put_interactions(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (user_id, item_id, rating, seconds, liked), each streamed once; rating, seconds and
    liked are NULL where unknown.

    `seconds` may count milliseconds and smaller: the unit is found when all rows are in.
    """
    # Readers sort, so a hundred million rows need no buffer. After an error the store undoes it.
    db.execute("SET preserve_insertion_order = false")
    db.execute(f"""
        INSERT INTO interactions SELECT CASE WHEN bad THEN NULL ELSE user_id END, item_id, rating,
            TRY_CAST(seconds AS BIGINT), liked
        FROM (SELECT *, coalesce({_BAD_ROW}, false) AS bad FROM ({select}))""")
    db.execute("RESET preserve_insertion_order")
    (bad,) = one_row(db, "SELECT count(*) FROM interactions WHERE user_id IS NULL")
    if bad:
        db.execute("DELETE FROM interactions WHERE user_id IS NULL")
        what = (
            "interactions without user or item, or with a rating or time that is no finite number"
        )
        note_reject(db, what + _first_bad(db, select), bad)


def _first_bad(db: duckdb.DuckDBPyConnection, select: str) -> str:
    """The first row that cannot be read, in brackets."""
    rows = (
        f"SELECT user_id, item_id, rating, seconds FROM ({select}) "
        f"WHERE coalesce({_BAD_ROW}, false) LIMIT 1"
    )
    for found in db.execute(rows).fetchall():
        words = zip(("user", "item", "rating", "time"), found, strict=True)
        return f" (first: {', '.join(f'{word} {value}' for word, value in words)})"
    return ""


def put_users(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (user_id, age, gender, occupation), NULL where unknown; the first row of a user
    counts.
    """
    db.execute(
        "INSERT INTO users SELECT user_id, first(age), first(gender), first(occupation) "
        f"FROM ({select}) WHERE user_id IS NOT NULL GROUP BY 1"
    )


def put_links(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (item_id, source, value): the id of an item elsewhere (source imdb, tmdb, isbn or
    wikidata).
    """
    db.execute(
        f"INSERT INTO links SELECT DISTINCT item_id, source, value FROM ({select}) "
        "WHERE item_id IS NOT NULL AND value IS NOT NULL ORDER BY ALL"
    )


def _note_incomplete(db: duckdb.DuckDBPyConnection, what: str, condition: str) -> None:
    (bad,) = one_row(db, f"SELECT count(*) FROM incoming WHERE {condition}")
    if bad:
        note_reject(db, what, bad)
