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


def _examples(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        "CREATE TABLE examples (example_id VARCHAR PRIMARY KEY, position INTEGER, split VARCHAR, kind VARCHAR, "
        "gold VARCHAR[], near VARCHAR[], body VARCHAR)"
    )


MIGRATIONS = (_first_tables, _embeddings, _examples)


def migrate(db: duckdb.DuckDBPyConnection) -> None:
    """Bring `db` to the newest schema, all or nothing. Raises DataError for a store newer than this code."""
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    row = db.execute("SELECT max(version) FROM schema_version").fetchone()
    done = row[0] if row and row[0] is not None else 0
    if done > len(MIGRATIONS):
        raise DataError(f"the store has schema {done}, this rerec knows up to {len(MIGRATIONS)}: use the newer rerec that wrote it")
    for version, step in enumerate(MIGRATIONS[done:], start=done + 1):
        db.begin()
        step(db)
        db.execute("INSERT INTO schema_version VALUES (?)", [version])
        db.commit()
