"""The scale of ratings, which of them are likes, and the unit of times.

All of it is found from the rows once they are in the store, or given by the user.
"""

from datetime import UTC, datetime
from math import ceil

import duckdb
from pydantic import ConfigDict

from data_engine.errors import ImportRefused
from data_engine.runtime.config import Config
from data_engine.store.sql import one_row

TOPS = (1, 5, 10, 20, 100)  # the highest marks of the scales in use
LIKED_SHARE = 0.7  # of the highest mark
FEW, MANY = 0.05, 0.9  # a share of likes outside of these is a warning
UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
LATEST = (
    100_000_000_000  # in seconds, the year 5138; in milliseconds, March 1973: before any rating
)


class Scale(Config):
    """Ratings lie in `low`..`high`, and a rating of `liked_from` or more is a like."""

    model_config = ConfigDict(allow_inf_nan=False)
    low: float
    high: float
    liked_from: float


USUAL = Scale(low=0.5, high=5, liked_from=4)  # of a store that does not say


def make_scale(low: float, high: float, liked_from: float | None = None) -> Scale:
    """A scale; by default a like is 70 % of the highest mark or more, rounded up to a whole mark
    where the scale has several: 4 of 5, 7 of 10, 70 of 100. Raises ImportRefused for bounds in the
    wrong order, or a `liked_from` outside of them.
    """
    if liked_from is None:
        share = round(low + LIKED_SHARE * (high - low) if low < 0 else LIKED_SHARE * high, 9)
        liked_from = ceil(share) if high >= 3 else share
    if not low < high or not low <= liked_from <= high:
        raise ImportRefused(
            f"no scale: {low:g} to {high:g}, liked from {liked_from:g}: "
            "give --scale LOW-HIGH and --liked-from within it"
        )
    return Scale(low=low, high=high, liked_from=liked_from)


def parse_scale(text: str) -> tuple[float, float]:
    """(1.0, 10.0) of "1-10", (-10.0, 10.0) of "-10..10". Raises ImportRefused."""
    low, _, high = text.partition(".." if ".." in text else "-")
    try:
        return float(low), float(high)
    except ValueError as error:
        raise ImportRefused(
            f"--scale {text!r}: write LOW-HIGH, as in 1-10 (or -10..10 for a negative mark)"
        ) from error


def find_scale(least: float, greatest: float, liked_from: float | None) -> Scale:
    """The scale of ratings that go from `least` to `greatest`. Where all are one positive mark,
    that mark is a like. Raises ImportRefused where they fit no scale in use.
    """
    top = next((top for top in TOPS if greatest <= top and least >= -top), None)
    if top is None and liked_from is None:
        raise ImportRefused(
            f"ratings from {least:g} to {greatest:g} fit no scale in use: name it with "
            "--scale LOW-HIGH or, where they are counts, say with --liked-from N what is liked"
        )
    if least == greatest > 0 and liked_from is None:
        return Scale(low=0, high=top, liked_from=least)
    low = -top if top and least < 0 else min(least, 1 if top and top > 1 else 0)
    return make_scale(low, top or greatest, liked_from)


def rating_range(db: duckdb.DuckDBPyConnection) -> tuple[int, float, float]:
    """Of the ratings that decide whether an item is liked: how many, the least, the greatest."""
    decides = "FROM interactions WHERE liked IS NULL AND rating IS NOT NULL"
    count, least, greatest = one_row(db, f"SELECT count(*), min(rating), max(rating) {decides}")
    return count, least, greatest


def liked_sql(liked_from: float) -> str:
    """Whether an interaction is a like: what the source says, else whether its rating is
    `liked_from` or more; without a rating (implicit feedback) it is one.
    """
    return f"coalesce(liked, rating IS NULL OR rating >= {float(liked_from)!r})"


def liked_share(db: duckdb.DuckDBPyConnection, scale: Scale) -> float | None:
    """The share of likes among the interactions that carry a rating or a verdict; None of none."""
    told = "FROM interactions WHERE liked IS NOT NULL OR rating IS NOT NULL"
    share: float | None
    (share,) = one_row(db, f"SELECT avg({liked_sql(scale.liked_from)}::INT) {told}")
    return share


def warning(share: float | None) -> str:
    """What to say of a share of likes that tells little of tastes; "" where it is well."""
    if share is None or FEW <= share <= MANY:
        return ""
    few = "hardly anything is" if share < FEW else "nearly everything is"
    return f"{few} liked ({share:.1%}): check the scale (--scale LOW-HIGH, --liked-from N)"


def time_unit(db: duckdb.DuckDBPyConnection) -> str:
    """The unit of most times in the interactions, told by their size."""
    (median,) = one_row(db, "SELECT median(abs(timestamp)) FROM interactions")
    return next((unit for unit, n in UNITS.items() if (median or 0) < LATEST * n), "nanoseconds")


def set_time_unit(db: duckdb.DuckDBPyConnection, unit: str) -> tuple[int, str]:
    """Turn all times into seconds. Rows whose time is before 1970, or of another size than the
    unit's, are deleted; returns how many, and the first in words.
    """
    size = UNITS[unit]
    least = LATEST * size // 1000 if size > 1 else 0  # smaller ones are of the unit before
    strange = f"timestamp IS NOT NULL AND NOT timestamp BETWEEN {least} AND {LATEST * size - 1}"
    where = f"FROM interactions WHERE {strange}"
    (count,) = one_row(db, f"SELECT count(*) {where}")
    first = ""
    if count:
        shown = "SELECT 'user ' || user_id || ', item ' || item_id || ': ' || timestamp"
        ((first,),) = db.execute(f"{shown} {where} ORDER BY user_id, item_id LIMIT 1").fetchall()
        db.execute(f"DELETE {where}")
    if size > 1:
        db.execute(f"UPDATE interactions SET timestamp = timestamp // {size}")
    return count, first


def day(seconds: int) -> str:
    """The date of a moment, as in 2001-05-31; the bare number where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(seconds)
