"""The store's schema as a list of small steps; a store remembers how many it has taken."""

import duckdb

from data_engine.errors import DataError


def _first_tables(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
    db.execute("CREATE TABLE items (item_id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL)")
    db.execute("CREATE TABLE attributes (attribute_id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL)")
    db.execute("CREATE TABLE edges (item_id VARCHAR, relation VARCHAR, attribute_id VARCHAR, position INTEGER)")
    db.execute("CREATE TABLE interactions (user_id VARCHAR, item_id VARCHAR, rating DOUBLE, timestamp BIGINT)")
    db.execute("CREATE TABLE users (user_id VARCHAR PRIMARY KEY, age VARCHAR, gender VARCHAR, occupation VARCHAR)")


def _embeddings(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TABLE embeddings (item_id VARCHAR PRIMARY KEY, vector FLOAT[])")


EXAMPLES = "(example_id VARCHAR PRIMARY KEY, position INTEGER, split VARCHAR, kind VARCHAR, gold VARCHAR[], near VARCHAR[], body VARCHAR)"


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
    if not db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'schema_version'").fetchone():
        return 0
    (taken,) = db.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return taken


def migrate(db: duckdb.DuckDBPyConnection) -> None:
    """Bring `db` to the newest schema, all or nothing. Raises DataError for a store newer than this code."""
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    done = version(db)
    if done > len(MIGRATIONS):
        raise DataError(f"the store has schema {done}, this rerec knows up to {len(MIGRATIONS)}: use the newer rerec that wrote it")
    for number, step in enumerate(MIGRATIONS[done:], start=done + 1):
        db.begin()
        step(db)
        db.execute("INSERT INTO schema_version VALUES (?)", [number])
        db.commit()
