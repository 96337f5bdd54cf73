"""The end of an import: names, times and ratings are read as people mean them, and what cannot
become two graphs is refused.
"""

import duckdb
from pydantic import Field

from data_engine.errors import ImportRefused
from data_engine.runtime.config import Config
from data_engine.store.notes import note_reject, note_understood, rejects, understood
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
from data_engine.store.sql import one_row
from data_engine.store.tidying import tidy


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


class ImportReport(Config):
    """Counts of what was left out (unreadable rows; interactions and edges of unknown items), and
    how the files were understood, topic → words.
    """

    rejected: int = 0
    skipped: int = 0
    understood: dict[str, str] = {}
    scale: Scale | None = None


def finish_import(
    db: duckdb.DuckDBPyConnection, source: str, options: ImportOptions, *, interactions: bool = True
) -> ImportReport:
    """Tidy names, and times and ratings where `interactions` are new; count rejects and rows of
    unknown items.

    Raises ImportRefused, in the words of the `source`, for what cannot become two graphs.
    """
    tidied = tidy(db, options.relations)
    for topic, words in tidied.understood.items():
        note_understood(db, topic, words)
    for words, rows in tidied.rejects:
        note_reject(db, words, rows)
    if interactions:
        _finish_times(db)
    rejected, first = rejects(db, source, options.max_rejects)
    _refuse_empty(db, source, first)
    skipped = _skip_unknown(db, source, options.skip_unknown)
    if skipped:
        _refuse_empty(db, source, first)
    scale = _finish_scale(db, options) if interactions else None
    return ImportReport(rejected=rejected, skipped=skipped, understood=understood(db), scale=scale)


def _finish_times(db: duckdb.DuckDBPyConnection) -> None:
    """All times in seconds; tells the user the unit, the span, and how data will be split."""
    unit = time_unit(db)
    strange, first = set_time_unit(db, unit)
    if strange:
        what = f"interactions with a time before 1970, or in another unit than {unit}"
        note_reject(db, f"{what} (first: {first})", strange)
    timed, every, least, latest = one_row(
        db,
        "SELECT count(timestamp), count(*), min(timestamp), max(timestamp) FROM interactions",
    )
    if timed:
        words = f"{unit} since 1970 (or dates), from {day(least)} to {day(latest)}"
        note_understood(db, "times", words)
    if timed and timed == every:
        words = "by time: the first 80 % are train, the next 10 % validation, the last 10 % test"
    else:
        untimed = f"{every - timed} of {every} interactions have no time"
        why = untimed if timed else "there are no times"
        words = f"each user's last interaction is test, the one before validation ({why})"
    note_understood(db, "split", words)


def _finish_scale(db: duckdb.DuckDBPyConnection, options: ImportOptions) -> Scale | None:
    """The scale of the ratings, told with the share of likes; None where no rating decides what is
    liked.
    """
    count, least, greatest = rating_range(db)
    scale = _chosen_scale(db, options, count, least, greatest)
    share = liked_share(db, scale or Scale(low=0, high=1, liked_from=1))
    words = "none: every interaction counts as liked"
    if scale and count:
        bounds = f"{scale.low:g} to {scale.high:g}, liked from {scale.liked_from:g}"
        words = f"{bounds}: {share:.1%} are liked"
    elif share is not None:
        words = f"liked or not, as the source says: {share:.1%} are liked"
    note_understood(db, "ratings", words)
    one_mark = count and least == greatest
    if not one_mark and (doubt := warning(share)):
        note_understood(db, "warning", doubt)
    return scale


def _chosen_scale(
    db: duckdb.DuckDBPyConnection,
    options: ImportOptions,
    count: int,
    least: float,
    greatest: float,
) -> Scale | None:
    """The scale that the user gave, else that of a source that is a store, else the one found."""
    if options.scale is not None:
        scale = make_scale(*options.scale, options.liked_from)
        if count and not scale.low <= least <= greatest <= scale.high:
            raise ImportRefused(
                f"ratings go from {least:g} to {greatest:g}, the scale given from {scale.low:g} "
                f"to {scale.high:g}: give another --scale"
            )
        return scale
    kept = db.execute("SELECT value FROM meta WHERE key = 'rating_scale'").fetchall()
    if kept:
        return Scale.model_validate_json(kept[0][0])
    return find_scale(least, greatest, options.liked_from) if count else None


def _refuse_empty(db: duckdb.DuckDBPyConnection, source: str, reject: str) -> None:
    needed = {
        "items": "no items found",
        "edges": "the attribute graph is empty: triples of (item, relation, value) are needed",
        "interactions": "no interactions found",
    }
    for table, words in needed.items():
        if not db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            why = f" that can be read ({reject})" if reject else ""
            raise ImportRefused(f"{source}: {words}{why}")


def _skip_unknown(db: duckdb.DuckDBPyConnection, source: str, allowed: bool) -> int:
    """Leave out interactions and edges of unknown items; returns how many they were.

    Raises ImportRefused where that is not allowed.
    """
    skipped = 0
    for table, words in (("interactions", "ratings"), ("edges", "triples")):
        strange = f"FROM {table} ANTI JOIN items USING (item_id)"
        rows, items, first = one_row(
            db, f"SELECT count(*), count(DISTINCT item_id), min(item_id) {strange}"
        )
        if not rows:
            continue
        if not allowed:
            (known,) = one_row(db, "SELECT count(*) FROM items")
            raise ImportRefused(
                f"{source}: {words} name {items} items that are not among the {known} items "
                f"(first: {first!r}): add them to the items file, "
                "or import with --skip-unknown to leave those rows out"
            )
        skipped += rows
        db.execute(f"DELETE FROM {table} WHERE item_id NOT IN (SELECT item_id FROM items)")
    if skipped:
        db.execute(
            "DELETE FROM attributes WHERE attribute_id NOT IN (SELECT attribute_id FROM edges)"
        )
    return skipped
