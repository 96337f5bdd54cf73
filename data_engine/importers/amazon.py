"""Amazon Reviews 2023: `CATEGORY.jsonl[.gz]` (reviews) and `meta_CATEGORY.jsonl[.gz]`, one JSON
object a line.

Relations: brand (the store), category (the path below the first), author, and the short details
people ask by. Items without a title are left to --max-rejects; `parent_asin` is the item, as the
data set's authors advise.
"""

from pathlib import Path

import duckdb

from data_engine.errors import ImportRefused
from data_engine.runtime.config import Config
from data_engine.store.filling import put_edges, put_interactions, put_items, put_links
from data_engine.store.notes import note_reject, note_understood
from data_engine.store.plain_text import encoding_of, readable
from data_engine.store.sql import literal, one_row

DETAILS = {
    "Brand": "brand",
    "Publisher": "publisher",
    "Language": "language",
    "Author": "author",
    "Director": "director",
    "Format": "format",
}


class Amazon(Config):
    """One category."""

    reviews: Path
    meta: Path
    domain: str = "products"

    @property
    def name(self) -> str:
        """The category."""
        return self.reviews.name.split(".")[0]

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables. Lines that are no JSON object count as unreadable; raises ImportRefused
        when a file is missing.
        """
        for path in (self.reviews, self.meta):
            if not path.is_file():
                raise ImportRefused(f"no file at {path}")
        db.execute(f"CREATE OR REPLACE TEMP TABLE products AS {_objects(self.meta)}")
        _refuse_lines(db, "products", self.meta)
        note_understood(
            db,
            "encoding",
            ", ".join(sorted({encoding_of(path) for path in (self.meta, self.reviews)})),
        )
        named = "json->>'parent_asin' AS item_id, nullif(trim(json->>'title'), '') AS title"
        put_items(db, f"SELECT {named} FROM products WHERE json IS NOT NULL")
        put_edges(db, _edges())
        put_links(
            db,
            "SELECT json->>'parent_asin' AS item_id, 'isbn' AS source, replace(coalesce("
            "json->'details'->>'ISBN 13', json->'details'->>'ISBN 10'), '-', '') AS value "
            "FROM products",
        )
        db.execute(f"CREATE OR REPLACE TEMP VIEW reviews AS {_objects(self.reviews)}")
        put_interactions(
            db,
            "SELECT json->>'user_id' AS user_id, json->>'parent_asin' AS item_id, "
            f"{_number('rating')} AS rating, {_number('timestamp')} AS seconds, "
            "NULL::BOOLEAN AS liked FROM reviews",
        )


def _edges() -> str:
    """SELECT the edges of `products`, as `put_edges` wants them."""
    texts = {"brand": "json->>'store'", "author": "json->>'$.author.name'"}
    details = {r: f"json->'details'->>{literal(key)}" for key, r in DETAILS.items()}
    values = [
        f"SELECT n, item_id, {literal(relation)} AS relation, {text} AS name, 0 AS k FROM p"
        for relation, text in [*texts.items(), *details.items()]
    ]
    below_first = "CAST(json->'categories' AS VARCHAR[])[2:]"
    values.append(
        f"SELECT n, item_id, 'category' AS relation, unnest({below_first}) AS name, "
        f"unnest(range(len({below_first}))) AS k FROM p"
    )
    return f"""
        WITH p AS (SELECT n, json, json->>'parent_asin' AS item_id
            FROM products WHERE json IS NOT NULL)
        SELECT item_id, relation, relation || ':' || trim(name) AS attribute_id,
            trim(name) AS name, row_number() OVER (ORDER BY n, k) AS place
        FROM ({" UNION ALL ".join(values)}) WHERE trim(name) <> ''"""


def _objects(path: Path) -> str:
    """SELECT n, json: NULL where a line is no JSON object."""
    source = readable(path, encoding_of(path))
    lines = (
        f"read_ndjson_objects({literal(source)}, ignore_errors = true, maximum_object_size "
        "= 16777216)"
    )
    return (
        "SELECT row_number() OVER () AS n, CASE WHEN json_type(json) = 'OBJECT' THEN json "
        f"END AS json FROM {lines}"
    )


def _number(key: str) -> str:
    """NULL where absent; what is there but no number becomes nan, which counts as unreadable."""
    return (
        f"CASE WHEN json->>{literal(key)} IS NOT NULL THEN "
        f"coalesce(TRY_CAST(json->>{literal(key)} AS DOUBLE), 'nan') END"
    )


def _refuse_lines(db: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    bad, first = one_row(db, f"SELECT count(*), min(n) FROM {table} WHERE json IS NULL")
    if bad:
        note_reject(db, f"lines of {path} that are no JSON object (first: line {first})", bad)
