"""The store's schema as a list of small steps; a store remembers how many it has taken."""

from pathlib import Path

import duckdb

from data_engine.errors import DataError
from data_engine.store.sql import one_row


def _first_tables(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
    db.execute("CREATE TABLE items (item_id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL)")
    db.execute("CREATE TABLE attributes (attribute_id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL)")
    db.execute(
        "CREATE TABLE edges (item_id VARCHAR, relation VARCHAR, attribute_id VARCHAR, position "
        "INTEGER)"
    )
    db.execute(
        "CREATE TABLE interactions (user_id VARCHAR, item_id VARCHAR, rating DOUBLE, timestamp "
        "BIGINT)"
    )
    db.execute(
        "CREATE TABLE users (user_id VARCHAR PRIMARY KEY, age VARCHAR, gender VARCHAR, "
        "occupation VARCHAR)"
    )


def _embeddings(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TABLE embeddings (item_id VARCHAR PRIMARY KEY, vector FLOAT[])")


EXAMPLES = (
    "(example_id VARCHAR PRIMARY KEY, position INTEGER, split VARCHAR, kind VARCHAR, "
    "gold VARCHAR[], near VARCHAR[], body VARCHAR)"
)


def _examples(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(f"CREATE TABLE examples {EXAMPLES}")


def _liked(db: duckdb.DuckDBPyConnection) -> None:
    """Some sources say whether a user liked an item without a rating."""
    db.execute("ALTER TABLE interactions ADD COLUMN liked BOOLEAN")


def _links(db: duckdb.DuckDBPyConnection) -> None:
    """Ids of items elsewhere: source is imdb, tmdb, isbn or wikidata."""
    db.execute("CREATE TABLE links (item_id VARCHAR, source VARCHAR, value VARCHAR)")


MIGRATIONS = (_first_tables, _embeddings, _examples, _liked, _links)


def version(db: duckdb.DuckDBPyConnection) -> int:
    """How many steps the store has taken; 0 for a file that is no store yet."""
    ours = "SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('schema_version', 'meta')"
    if db.execute(ours).fetchone() != (2,):
        return 0
    (taken,) = one_row(db, "SELECT coalesce(max(version), 0) FROM schema_version")
    return int(taken)


def refuse_foreign(db: duckdb.DuckDBPyConnection, path: Path, *, new: bool) -> None:
    """Raises DataError for a file that holds another program's tables, for one that holds nothing
    (unless it is to become a store: `new`), and for a store newer than this code.
    """
    done = version(db)
    if done > len(MIGRATIONS):
        raise DataError(
            f"the store {path} has schema {done}, this rerec knows up to {len(MIGRATIONS)}: "
            "use the newer rerec that wrote it"
        )
    named = db.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name <> 'schema_version'"
    )
    tables = sorted(name for (name,) in named.fetchall())
    if not done and (tables or not new):
        held = f"it holds {', '.join(tables[:3])}" if tables else "it is empty"
        raise DataError(
            f"{path} is a DuckDB file, but no store of rerec ({held}): name another file"
        )


def migrate(db: duckdb.DuckDBPyConnection) -> None:
    """Bring `db` to the newest schema, all or nothing: a process that is killed leaves no half."""
    db.begin()
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    for number, step in list(enumerate(MIGRATIONS, start=1))[version(db) :]:
        step(db)
        db.execute("INSERT INTO schema_version VALUES (?)", [number])
    db.commit()
