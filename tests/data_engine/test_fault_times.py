"""Times of every kind: their units and types are found, and told."""

import duckdb
import pytest

from data_engine.datasets.splits import interaction_split
from data_engine.errors import ImportRefused
from data_engine.graphs.interactions import InteractionGraph
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from tests.data_engine.files import DAY, FIRST, HEADER, amazon, folder, load, rows

PARQUET_TIMES = {
    "TIMESTAMP": "to_timestamp(t)::TIMESTAMP",
    "TIMESTAMP_MS": "to_timestamp(t)::TIMESTAMP::TIMESTAMP_MS",
    "TIMESTAMP_NS": "to_timestamp(t)::TIMESTAMP::TIMESTAMP_NS",
    "TIMESTAMPTZ": "to_timestamp(t)",
    "ISO": "strftime(to_timestamp(t)::TIMESTAMP, '%Y-%m-%dT%H:%M:%SZ')",
    "BIGINT": "t",
    "DOUBLE": "t::DOUBLE",
}


@pytest.mark.parametrize("kind", PARQUET_TIMES)
def test_fault_case_02_every_type_of_time_in_parquet_is_seconds_since_1970(
    tmp_path, plain, kind, monkeypatch
):
    monkeypatch.setenv(
        "TZ", "America/New_York"
    )  # a time without a zone is UTC wherever the import runs
    here = folder(tmp_path / "d", "")
    made = (
        "SELECT 'u' || (range % 5) AS userId, (range % 6)::VARCHAR AS movieId, (range % 5 + "
        "1)::DOUBLE AS rating, "
    )
    made += (
        f"{PARQUET_TIMES[kind]} AS timestamp FROM (SELECT range, {FIRST} + range * {DAY} AS "
        "t FROM range(30))"
    )
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"COPY ({made}) TO '{here / 'ratings.parquet'}'")
    assert load(tmp_path / "s.duckdb", Tables(folder=here))[2] == plain


def test_fault_case_02_a_date_is_its_first_second_and_int96_is_a_timestamp(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    here = folder(tmp_path / "d", "")
    days = pa.array([19723 + k for k in range(3)], pa.date32())  # 2024-01-01 and on
    columns = {"userId": ["a", "b", "c"], "movieId": ["0", "1", "2"], "rating": [1.0, 4.0, 5.0]}
    for times, options in (
        (days, {}),
        (days.cast(pa.timestamp("us")), {"use_deprecated_int96_timestamps": True}),
    ):
        pq.write_table(
            pa.table({**columns, "timestamp": times}), here / "ratings.parquet", **options
        )
        _, found, _ = load(tmp_path / "s.duckdb", Tables(folder=here))
        assert [time for *_, time in found] == [1704067200, 1704153600, 1704240000]


def test_fault_case_02_the_first_error_is_told_not_the_one_of_the_clean_up(tmp_path):
    here = folder(tmp_path / "d", "")
    duckdb.sql("SELECT 'u' AS userId, '0' AS movieId, {'a': 1} AS rating").write_parquet(
        str(here / "ratings.parquet")
    )
    with pytest.raises(ImportRefused) as refused:
        load(tmp_path / "s.duckdb", Tables(folder=here))
    assert "aborted" not in str(refused.value) and "the column 'rating' is STRUCT" in str(
        refused.value
    )
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        with pytest.raises(duckdb.BinderException), store.transaction():
            store.db.execute("SELECT nothing")
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.db.execute("CREATE TABLE t (i INT PRIMARY KEY)")
            with pytest.raises(duckdb.ConstraintException):
                store.db.execute("INSERT INTO t VALUES (1), (1)")  # the transaction is aborted now
            raise ZeroDivisionError


def test_fault_case_04_one_time_before_1970_is_a_reject_and_does_not_change_the_split(tmp_path):
    bad = amazon(tmp_path, -62135769600000)
    with pytest.raises(
        ImportRefused,
        match=r"1 interactions with a time before 1970.*first: user U0, item B0: -62135769600000",
    ):
        load(tmp_path / "s.duckdb", bad)
    settled, found, _ = load(tmp_path / "s.duckdb", bad, max_rejects=1)
    assert settled.rejected == 1 and len(found) == 29
    assert settled.understood["split"].startswith("by time") and settled.understood[
        "times"
    ].startswith("milliseconds")
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        parts = interaction_split(InteractionGraph.from_store(store))
    assert [(parts == part).sum() for part in (0, 1, 2)] == [23, 3, 3]


@pytest.mark.parametrize(
    ("unit", "size"), [("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)]
)
def test_fault_case_04_the_unit_of_times_is_found_by_their_size_and_told(
    tmp_path, plain, unit, size
):
    text = HEADER + rows(time=lambda k: (FIRST + k * DAY) * size)
    settled, _, digest = load(tmp_path / "s.duckdb", Tables(folder=folder(tmp_path / "d", text)))
    assert (
        digest == plain
        and settled.understood["times"]
        == f"{unit} since 1970 (or dates), from 2020-09-13 to 2020-10-12"
    )
    mixed = HEADER + rows(time=lambda k: (FIRST + k * DAY) * (1 if k == 7 else size))
    with pytest.raises(
        ImportRefused,
        match=rf"1 interactions with a time before 1970, or in another unit than {unit}",
    ):
        load(tmp_path / "t.duckdb", Tables(folder=folder(tmp_path / "e", mixed)))


def iso(k, form):
    from datetime import UTC, datetime, timedelta, timezone

    moment = datetime.fromtimestamp(FIRST + k * DAY, UTC)
    return {
        "Z": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "space": moment.strftime("%Y-%m-%d %H:%M:%S"),
        "offset": moment.astimezone(timezone(timedelta(hours=-5))).isoformat(),
        "fraction": moment.strftime("%Y-%m-%dT%H:%M:%S.000+00:00"),
    }[form]


@pytest.mark.parametrize("form", ["Z", "space", "offset", "fraction"])
def test_fault_case_04_iso_8601_is_read(tmp_path, plain, form):
    text = HEADER + rows(time=lambda k: iso(k, form))
    assert load(tmp_path / "s.duckdb", Tables(folder=folder(tmp_path / "d", text)))[2] == plain


def test_fault_case_04_days_are_read_and_what_is_no_time_is_named(tmp_path):
    text = HEADER + rows(time=lambda k: f"202401{k + 1:02d}")
    settled, found, _ = load(tmp_path / "s.duckdb", Tables(folder=folder(tmp_path / "d", text)))
    assert found[0][3] == 1704067200 and settled.understood["times"].endswith(
        "from 2024-01-01 to 2024-01-30"
    )
    text = HEADER + rows(time=lambda k: "last week" if k == 3 else FIRST)
    with pytest.raises(
        ImportRefused,
        match=r"time that is no finite number \(first: user u3, item 3, rating 4.0, time nan\)",
    ):
        load(tmp_path / "s.duckdb", Tables(folder=folder(tmp_path / "d", text)))


def test_fault_case_04_what_the_split_goes_by_is_always_told(tmp_path):
    settled, *_ = load(
        tmp_path / "s.duckdb",
        Tables(
            folder=folder(tmp_path / "d", HEADER + rows(time=lambda k: "" if k == 3 else FIRST + k))
        ),
    )
    assert (
        settled.understood["split"]
        == "each user's last interaction is test, the one before validation (1 of 30 "
        "interactions have no time)"
    )
    settled, *_ = load(
        tmp_path / "s.duckdb",
        Tables(folder=folder(tmp_path / "d", HEADER + rows(time=lambda k: ""))),
    )
    assert "there are no times" in settled.understood["split"]
