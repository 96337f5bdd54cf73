"""How every importer fills a store: SELECTs over files, streamed by DuckDB into the empty tables of one transaction.

Rows that cannot be read (a word where a number should be, too few fields, no id) are counted, with file and line where the reader knows
them, never dropped in silence: `settle` refuses more of them than the user allowed.
"""

import duckdb
import pyarrow as pa
from pydantic import Field

from data_engine.errors import ImportRefused
from data_engine.runtime.config import Config
from data_engine.store.plain_text import original
from data_engine.store.ratings import (
    Scale,
    day,
    find_scale,
    liked_share,
    make_scale,
    rating_range,
    set_time_unit,
    time_unit,
    warning,
)
from data_engine.store.tidying import tidy

_BAD_ROW = "user_id IS NULL OR item_id IS NULL OR NOT isfinite(rating) OR NOT isfinite(seconds) OR abs(seconds) > 9e18"
_WHOLE_EDGE = "item_id IS NOT NULL AND relation IS NOT NULL AND attribute_id IS NOT NULL"
_REJECTS = "CREATE TEMP TABLE IF NOT EXISTS incomplete (what VARCHAR, rows BIGINT)"
_UNDERSTOOD = "CREATE TEMP TABLE IF NOT EXISTS understood (topic VARCHAR, words VARCHAR)"


class ImportOptions(Config):
    """What the user lets pass (how many unreadable rows, and whether rows of items that the
    catalogue lacks are left out), and what he says of the data instead of letting it be found: the
    rating scale, from where on a rating is a like, and nouns for relations.
    """

    max_rejects: int = Field(0, ge=0)
    skip_unknown: bool = False
    scale: tuple[float, float] | None = None
    liked_from: float | None = None
    relations: dict[str, str] = {}


STRICT = ImportOptions()


class Settled(Config):
    """What was left out (unreadable rows, interactions and edges of unknown items), and what was understood: topic → words."""

    rejected: int = 0
    skipped: int = 0
    understood: dict[str, str] = {}
    scale: Scale | None = None


def literal(text: object) -> str:
    """A quoted SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL name."""
    return '"' + name.replace('"', '""') + '"'


def append(
    db: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...], rows: list[tuple]
) -> None:
    """Add rows to a table, all at once."""
    if rows:
        batch = pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
        db.register("batch", batch)
        db.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM batch")
        db.unregister("batch")


def put_items(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (item_id, title). The same row twice is one item; one id with two titles is refused (ImportRefused)."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT DISTINCT item_id, title FROM ({select})"
    )
    _count(db, "items without id or title", "item_id IS NULL OR title IS NULL")
    twice = db.execute(
        "SELECT item_id FROM incoming WHERE title IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
    ).fetchall()
    if twice:
        raise ImportRefused(
            f"{len(twice)} items share an id with another (first: {twice[0][0]!r}): ids must be unique"
        )
    db.execute(
        "INSERT INTO items SELECT item_id, title FROM incoming WHERE item_id IS NOT NULL AND title IS NOT NULL ORDER BY item_id"
    )


def put_edges(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (item_id, relation, attribute_id, name, place), `place` the order in the file: the credit order of a relation.

    The same edge twice is one edge, at its first place; the first name an attribute has is its name.
    """
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT item_id, relation, attribute_id, name, place FROM ({select})"
    )
    _count(db, "triples without item, relation or value", f"NOT ({_WHOLE_EDGE})")
    db.execute(
        f"INSERT INTO attributes SELECT attribute_id, arg_min(name, place) FROM incoming WHERE {_WHOLE_EDGE} GROUP BY 1 ORDER BY 1"
    )
    db.execute(
        "INSERT INTO edges SELECT item_id, relation, attribute_id, "
        "row_number() OVER (PARTITION BY item_id, relation ORDER BY place, attribute_id) - 1 "
        f"FROM (SELECT item_id, relation, attribute_id, min(place) AS place FROM incoming WHERE {_WHOLE_EDGE} GROUP BY ALL) ORDER BY ALL"
    )


def put_interactions(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (user_id, item_id, rating, seconds, liked), each streamed once; rating, seconds and liked are NULL where unknown.

    `seconds` may count milliseconds and smaller: `settle` finds the unit.
    """
    db.execute(
        "SET preserve_insertion_order = false"
    )  # readers sort, so a hundred million rows need no buffer; undone by the store
    db.execute(
        "INSERT INTO interactions SELECT CASE WHEN bad THEN NULL ELSE user_id END, item_id, rating, TRY_CAST(seconds AS BIGINT), liked "
        f"FROM (SELECT *, coalesce({_BAD_ROW}, false) AS bad FROM ({select}))"
    )
    db.execute("RESET preserve_insertion_order")
    (bad,) = db.execute("SELECT count(*) FROM interactions WHERE user_id IS NULL").fetchone()
    if bad:
        db.execute("DELETE FROM interactions WHERE user_id IS NULL")
        note_reject(
            db,
            f"interactions without user or item, or with a rating or time that is no finite number{_first_bad(db, select)}",
            bad,
        )


def _first_bad(db: duckdb.DuckDBPyConnection, select: str) -> str:
    """The first row that cannot be read, in brackets."""
    rows = f"SELECT user_id, item_id, rating, seconds FROM ({select}) WHERE coalesce({_BAD_ROW}, false) LIMIT 1"
    for found in db.execute(rows).fetchall():
        words = zip(("user", "item", "rating", "time"), found, strict=True)
        return f" (first: {', '.join(f'{word} {value}' for word, value in words)})"
    return ""


def put_users(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (user_id, age, gender, occupation), NULL where unknown; the first row of a user counts."""
    db.execute(
        f"INSERT INTO users SELECT user_id, first(age), first(gender), first(occupation) FROM ({select}) WHERE user_id IS NOT NULL GROUP BY 1"
    )


def put_links(db: duckdb.DuckDBPyConnection, select: str) -> None:
    """From rows (item_id, source, value): what an item is called elsewhere (source imdb, tmdb, isbn or wikidata)."""
    db.execute(
        f"INSERT INTO links SELECT DISTINCT item_id, source, value FROM ({select}) WHERE item_id IS NOT NULL AND value IS NOT NULL ORDER BY ALL"
    )


def forget_rejects(db: duckdb.DuckDBPyConnection) -> None:
    """Before filling: what an earlier import on this connection could not read does not count."""
    for table in ("reject_errors", "reject_scans", "incomplete", "understood"):
        db.execute(f"DROP TABLE IF EXISTS temp.{table}")


def settle(
    db: duckdb.DuckDBPyConnection, source: str, options: ImportOptions, *, interactions: bool = True
) -> Settled:
    """After filling: read names, times and ratings (where `interactions` came anew) as people mean them, count the rejects and the rows of
    unknown items, and refuse what cannot become two graphs (ImportRefused, in the caller's words)."""
    tidied = tidy(db, options.relations)
    for topic, words in tidied.understood.items():
        note_understood(db, topic, words)
    for words, rows in tidied.rejects:
        note_reject(db, words, rows)
    if interactions:
        _settle_times(db)
    rejected, first = _rejects(db, source, options.max_rejects)
    _refuse_empty(db, source, first)
    skipped = _skip_unknown(db, source, options.skip_unknown)
    if skipped:
        _refuse_empty(db, source, first)
    scale = _settle_scale(db, options) if interactions else None
    return Settled(rejected=rejected, skipped=skipped, understood=_understood(db), scale=scale)


def _settle_times(db: duckdb.DuckDBPyConnection) -> None:
    unit = time_unit(db)
    strange, first = set_time_unit(db, unit)
    if strange:
        note_reject(
            db,
            f"interactions with a time before 1970, or in another unit than {unit} (first: {first})",
            strange,
        )
    timed, every, least, latest = db.execute(
        "SELECT count(timestamp), count(*), min(timestamp), max(timestamp) FROM interactions"
    ).fetchone()
    if timed:
        note_understood(
            db, "times", f"{unit} since 1970 (or dates), from {day(least)} to {day(latest)}"
        )
    if timed < every or not timed:
        why = (
            f"{every - timed} of {every} interactions have no time"
            if timed
            else "there are no times"
        )
        note_understood(
            db, "split", f"each user's last interaction is test, the one before validation ({why})"
        )
    else:
        note_understood(
            db,
            "split",
            "by time: the first 80 % are train, the next 10 % validation, the last 10 % test",
        )


def _settle_scale(db: duckdb.DuckDBPyConnection, options: ImportOptions) -> Scale | None:
    """The scale of the ratings, told with the share of likes; None where no rating decides what is liked."""
    count, least, greatest = rating_range(db)
    told = db.execute(
        "SELECT value FROM meta WHERE key = 'rating_scale'"
    ).fetchall()  # by a source that is a store
    scale = Scale.model_validate_json(told[0][0]) if told else None
    if options.scale is not None:
        scale = make_scale(*options.scale, options.liked_from)
        if count and not scale.low <= least <= greatest <= scale.high:
            raise ImportRefused(
                f"ratings go from {least:g} to {greatest:g}, the scale given from {scale.low:g} to {scale.high:g}: give another --scale"
            )
    elif count and scale is None:
        scale = find_scale(least, greatest, options.liked_from)
    share = liked_share(db, scale or Scale(low=0, high=1, liked_from=1))
    if scale and count:
        note_understood(
            db,
            "ratings",
            f"{scale.low:g} to {scale.high:g}, liked from {scale.liked_from:g}: {share:.1%} are liked",
        )
    elif share is not None:
        note_understood(db, "ratings", f"liked or not, as the source says: {share:.1%} are liked")
    else:
        note_understood(db, "ratings", "none: every interaction counts as liked")
    one_mark = count and least == greatest
    if not one_mark and (said := warning(share)):
        note_understood(db, "warning", said)
    return scale


def _refuse_empty(db: duckdb.DuckDBPyConnection, source: str, reject: str) -> None:
    for table, words in (
        ("items", "no items found"),
        ("edges", "the attribute graph is empty: triples of (item, relation, value) are needed"),
        ("interactions", "no interactions found"),
    ):
        if not db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            raise ImportRefused(
                f"{source}: {words}{f' that can be read ({reject})' if reject else ''}"
            )


def _skip_unknown(db: duckdb.DuckDBPyConnection, source: str, allowed: bool) -> int:
    """Leave out interactions and edges of unknown items, and say how many they were. Raises ImportRefused where that is not allowed."""
    skipped = 0
    for table, words in (("interactions", "ratings"), ("edges", "triples")):
        strange = f"FROM {table} ANTI JOIN items USING (item_id)"
        rows, items, first = db.execute(
            f"SELECT count(*), count(DISTINCT item_id), min(item_id) {strange}"
        ).fetchone()
        if not rows:
            continue
        if not allowed:
            (known,) = db.execute("SELECT count(*) FROM items").fetchone()
            raise ImportRefused(
                f"{source}: {words} name {items} items that are not among the {known} items (first: {first!r}): "
                f"add them to the items file, or import with --skip-unknown to leave those rows out"
            )
        skipped += rows
        db.execute(f"DELETE FROM {table} WHERE item_id NOT IN (SELECT item_id FROM items)")
    if skipped:
        db.execute(
            "DELETE FROM attributes WHERE attribute_id NOT IN (SELECT attribute_id FROM edges)"
        )
    return skipped


def _count(db: duckdb.DuckDBPyConnection, what: str, condition: str) -> None:
    (bad,) = db.execute(f"SELECT count(*) FROM incoming WHERE {condition}").fetchone()
    if bad:
        note_reject(db, what, bad)


def note_understood(db: duckdb.DuckDBPyConnection, topic: str, words: str) -> None:
    """Tell the user, once per topic, how something in the files was read: `words` follow `topic` on a line of the import's summary."""
    db.execute(_UNDERSTOOD)
    db.execute("INSERT INTO understood VALUES (?, ?)", [topic, words])


def _understood(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
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


def _rejects(db: duckdb.DuckDBPyConnection, source: str, most: int) -> tuple[int, str]:
    """How many rows could not be read, and the first in words; raises ImportRefused when they are more than `most`."""
    db.execute(_REJECTS)
    shown = [f"{source}: {rows} {what}" for what, rows in db.execute("FROM incomplete").fetchall()]
    (count,) = db.execute("SELECT coalesce(sum(rows), 0) FROM incomplete").fetchone()
    if db.execute(
        "SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = 'reject_errors'"
    ).fetchone():
        # An open quote swallows the lines that follow: each of them is a row that was not read.
        lines = db.execute(
            "SELECT s.file_path, e.line, min(e.error_message), max(length(t) - length(replace(t, chr(10), ''))) "
            "FROM (SELECT *, trim(csv_line, chr(10) || chr(13)) AS t FROM reject_errors) e "
            "JOIN reject_scans s USING (scan_id, file_id) GROUP BY s.file_path, e.scan_id, e.line ORDER BY 1, 2"
        ).fetchall()
        count += len(lines) + sum(more or 0 for *_, more in lines)
        shown = [
            f"{original(path)} line {line}: {message.splitlines()[0]}"
            for path, line, message, _ in lines[:1]
        ] + shown
    if count > most:
        raise ImportRefused(
            f"{shown[0]} ({count} rows cannot be read in all: mend them, or let them pass with --max-rejects {count})"
        )
    return int(count), shown[0] if shown else ""
