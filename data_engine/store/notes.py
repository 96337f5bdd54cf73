"""Notes that an import takes while it fills a store, in temporary tables of its connection: rows
that could not be read, and how the files were understood.
"""

import duckdb

from data_engine.errors import ImportRefused
from data_engine.store.plain_text import original
from data_engine.store.sql import one_row

_REJECTS = "CREATE TEMP TABLE IF NOT EXISTS incomplete (what VARCHAR, rows BIGINT)"
_UNDERSTOOD = "CREATE TEMP TABLE IF NOT EXISTS understood (topic VARCHAR, words VARCHAR)"


def clear_notes(db: duckdb.DuckDBPyConnection) -> None:
    """Before filling: notes of an earlier import on this connection do not count."""
    for table in ("reject_errors", "reject_scans", "incomplete", "understood"):
        db.execute(f"DROP TABLE IF EXISTS temp.{table}")


def note_understood(db: duckdb.DuckDBPyConnection, topic: str, words: str) -> None:
    """Tell the user, once per topic, how something in the files was read: `words` follow `topic` on
    a line of the import's summary.
    """
    db.execute(_UNDERSTOOD)
    db.execute("INSERT INTO understood VALUES (?, ?)", [topic, words])


def understood(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Topic → words, in the order they were noted; several notes of one topic are joined."""
    db.execute(_UNDERSTOOD)
    found: dict[str, str] = {}
    for topic, words in db.execute("SELECT topic, words FROM understood ORDER BY rowid").fetchall():
        found[topic] = f"{found[topic]}; {words}" if topic in found else words
    return found


def note_reject(db: duckdb.DuckDBPyConnection, what: str, rows: int) -> None:
    """Count rows that could not be read, in words that go after their number."""
    db.execute(_REJECTS)
    db.execute("INSERT INTO incomplete VALUES (?, ?)", [what, rows])


def rejects(db: duckdb.DuckDBPyConnection, source: str, most: int) -> tuple[int, str]:
    """How many rows could not be read, and the first in words.

    Raises ImportRefused where they are more than `most`.
    """
    db.execute(_REJECTS)
    shown = [f"{source}: {rows} {what}" for what, rows in db.execute("FROM incomplete").fetchall()]
    (count,) = one_row(db, "SELECT coalesce(sum(rows), 0) FROM incomplete")
    lines, first = _unreadable_lines(db)
    count, shown = count + lines, first + shown
    if count > most:
        raise ImportRefused(
            f"{shown[0]} ({count} rows cannot be read in all: "
            f"mend them, or let them pass with --max-rejects {count})"
        )
    return int(count), shown[0] if shown else ""


def _unreadable_lines(db: duckdb.DuckDBPyConnection) -> tuple[int, list[str]]:
    """How many lines DuckDB's reader rejected, and the first in words.

    An open quote swallows the lines that follow: each of them is a row that was not read.
    """
    if not db.execute(
        "SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = 'reject_errors'"
    ).fetchone():
        return 0, []
    lines = db.execute("""
        SELECT s.file_path, e.line, min(e.error_message),
            max(length(t) - length(replace(t, chr(10), '')))
        FROM (SELECT *, trim(csv_line, chr(10) || chr(13)) AS t FROM reject_errors) e
        JOIN reject_scans s USING (scan_id, file_id)
        GROUP BY s.file_path, e.scan_id, e.line ORDER BY 1, 2""").fetchall()
    shown = [
        f"{original(path)} line {line}: {message.splitlines()[0]}"
        for path, line, message, _ in lines[:1]
    ]
    return len(lines) + sum(more or 0 for *_, more in lines), shown
