"""Files as people really have them, one test per case: read as they are meant, or refused in one
line that says what to do.
"""

import json

import duckdb
import pytest

from data_engine.datasets.splits import interaction_split
from data_engine.datasets.subset import Subset
from data_engine.errors import DataError, ImportRefused
from data_engine.facts import number
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.graphs.interactions import InteractionGraph
from data_engine.importers.amazon import Amazon
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from data_engine.store.ratings import find_scale, make_scale, parse_scale

FIRST = 1_600_000_000
DAY = 86_400


def folder(path, ratings, items="", triples=""):
    path.mkdir(parents=True, exist_ok=True)
    if isinstance(ratings, bytes):
        (path / "ratings.csv").write_bytes(ratings)
    elif ratings:
        (path / "ratings.csv").write_text(ratings)
    films = "".join(f"{n},Film {n} (199{n})\n" for n in range(6))
    (path / "movies.csv").write_text(items or "movieId,title\n" + films)
    edges = "".join(f"{n},genre,G{n % 3}\n{n},starring,Star {n % 2}\n" for n in range(6))
    (path / "kg.csv").write_text(triples or "movieId,relation,value\n" + edges)
    return path


def rows(time=lambda k: FIRST + k * DAY, rating=lambda k: k % 5 + 1, end="\n", count=30):
    return "".join(f"u{k % 5},{k % 6},{rating(k)},{time(k)}{end}" for k in range(count))


HEADER = "userId,movieId,rating,timestamp\n"


def load(path, source, **options):
    """(settled, interactions by time, digest) of an import into a new store."""
    with Store.open(path, create=True) as store:
        settled = store.replace_catalogue(source, ImportOptions(**options))
        found = store.rows(
            "SELECT user_id, item_id, rating, timestamp FROM interactions ORDER BY timestamp, "
            "user_id, item_id"
        )
        return settled, found, store.graph_digest


@pytest.fixture
def plain(tmp_path):
    """The digest of the thirty ratings as they should be read."""
    return load(
        tmp_path / "plain.duckdb", Tables(folder=folder(tmp_path / "plain", HEADER + rows()))
    )[2]


@pytest.mark.parametrize(("encoding", "told"), [("utf-8", "utf-8"), ("latin-1", "latin-1")])
def test_fault_case_01_movielens_is_utf_8_where_its_bytes_are_and_latin_1_else(
    tmp_path, encoding, told
):
    (tmp_path / "movies.dat").write_text(
        "1::Misérables, Les (1995)::Drama|Crime\n", encoding=encoding
    )
    (tmp_path / "ratings.dat").write_text("1::1::5::978300760\n")
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        settled = store.replace_catalogue(MovieLens(folder=tmp_path))
        assert store.rows("SELECT title FROM items") == [("Misérables, Les (1995)",)]
    assert settled.understood["encoding"] == told


def test_fault_case_01_a_file_in_another_encoding_is_refused_by_name_and_line_or_read_as_told(
    tmp_path,
):
    here = folder(tmp_path / "d", HEADER + rows())
    text = (here / "movies.csv").read_text().replace("Film 3", "Amélie")
    (here / "movies.csv").write_text(text, encoding="cp1252")
    with pytest.raises(
        ImportRefused,
        match=r"movies.csv line 5: not UTF-8: save the file as UTF-8, or name its encoding "
        r".*--encoding",
    ):
        load(tmp_path / "a.duckdb", Tables(folder=here))
    with pytest.raises(ImportRefused, match="no encoding is called 'martian'"):
        load(tmp_path / "b.duckdb", Tables(folder=here, encoding="martian"))
    settled, *_ = load(tmp_path / "c.duckdb", Tables(folder=here, encoding="cp1252"))
    assert Evidence.load(tmp_path / "c.duckdb").attributes.titles["3"] == "Amélie (1993)"
    assert settled.understood["encoding"] == "cp1252, utf-8"
    (here / "movies.csv").write_text(text, encoding="utf-16")
    load(tmp_path / "d.duckdb", Tables(folder=here))
    assert Evidence.load(tmp_path / "d.duckdb").attributes.titles["3"] == "Amélie (1993)"
    (here / "movies.csv").write_bytes(text.replace("Film 4", "Film\0").encode())
    with pytest.raises(ImportRefused, match=r"movies.csv line 6: a NUL byte: this is no text file"):
        load(tmp_path / "e.duckdb", Tables(folder=here))


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


ODD_LINES = {
    "trailing comma": HEADER.replace("\n", ",\n") + rows(end=",\n"),
    "mixed line ends": HEADER
    + rows(count=15, end="\r\n")
    + "".join(rows().splitlines(keepends=True)[15:]),
    "old Macintosh": (HEADER + rows()).replace("\n", "\r"),
    "semicolons": (HEADER + rows()).replace(",", ";"),
    "tabs": (HEADER + rows()).replace(",", "\t"),
    "pandas index": ","
    + HEADER
    + "".join(f"{k},{line}\n" for k, line in enumerate(rows().splitlines())),
    "blank lines": HEADER + rows().replace("\n", "\n\n"),
    "byte order mark": "\ufeff" + HEADER + rows(),
    "no last line end": (HEADER + rows()).rstrip("\n"),
    "quoted": "\n".join(
        ",".join(f'"{value}"' for value in line.split(","))
        for line in (HEADER + rows()).splitlines()
    ),
}


@pytest.mark.parametrize("kind", ODD_LINES)
def test_fault_case_03_odd_but_readable_lines_are_read(tmp_path, plain, kind):
    settled, _, digest = load(
        tmp_path / "s.duckdb", Tables(folder=folder(tmp_path / "d", ODD_LINES[kind].encode()))
    )
    assert digest == plain and settled.rejected == 0
    assert settled.understood.get("columns separated", "") == (
        "ratings.csv by semicolons" if kind == "semicolons" else ""
    )


def test_fault_case_03_a_copy_made_for_reading_is_not_named_and_a_bad_line_keeps_its_number(
    tmp_path,
):
    text = (HEADER + rows()).replace("\n", "\r\n", 3).replace("u4,4,5", "u4,4,good")
    with pytest.raises(ImportRefused, match=r"d/ratings.csv line 6: .*good"):
        load(tmp_path / "s.duckdb", Tables(folder=folder(tmp_path / "d", text.encode())))


def test_fault_case_03_an_open_quote_counts_every_line_that_it_swallows(tmp_path):
    text = HEADER + rows(count=27) + '"u9,1,2,3\nu8,1,2,3\nu7,1,2,3\n'
    source = Tables(folder=folder(tmp_path / "d", text))
    with pytest.raises(
        ImportRefused, match=r"ratings.csv line 29: Value with unterminated quote found"
    ):
        load(tmp_path / "a.duckdb", source, max_rejects=2)
    settled, found, _ = load(tmp_path / "b.duckdb", source, max_rejects=10)
    assert len(found) == 27 and settled.rejected >= 3


def amazon(path, first_time):
    times = [first_time, *(1000 * (FIRST + k * DAY) for k in range(1, 30))]
    lines = [
        {"user_id": f"U{k % 5}", "parent_asin": f"B{k % 6}", "rating": k % 5 + 1, "timestamp": t}
        for k, t in enumerate(times)
    ]
    (path / "Things.jsonl").write_text("\n".join(map(json.dumps, lines)))
    meta = [{"parent_asin": f"B{k}", "title": f"Thing {k}", "store": f"S{k % 2}"} for k in range(6)]
    (path / "meta_Things.jsonl").write_text("\n".join(map(json.dumps, meta)))
    return Amazon(reviews=path / "Things.jsonl", meta=path / "meta_Things.jsonl")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_fault_case_03_json_lines_are_read_in_any_unicode_and_with_any_line_end(tmp_path, encoding):
    source = amazon(tmp_path, 1000 * FIRST)
    text = source.meta.read_text().replace("Thing", "Thé")
    source.meta.write_bytes(text.replace("\n", "\r").encode(encoding))
    settled, *_ = load(tmp_path / "s.duckdb", source)
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        assert store.rows("SELECT title FROM items ORDER BY 1")[0] == ("Thé 0",)
    assert encoding in settled.understood["encoding"]
    source.meta.write_bytes(text.encode("latin-1"))
    with pytest.raises(ImportRefused, match="meta_Things.jsonl line 1: not UTF-8"):
        load(tmp_path / "s.duckdb", source)


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


def test_fault_case_12_a_list_in_parquet_is_several_values_and_a_struct_is_refused_by_name(
    tmp_path,
):
    here = folder(tmp_path / "d", HEADER + rows())
    (here / "kg.csv").unlink()
    made = "SELECT range::VARCHAR AS movieId, 'genre' AS relation, {} AS value FROM range(6)"
    duckdb.sql(made.format("['Drama', 'Crime', NULL, ' ']")).write_parquet(str(here / "kg.parquet"))
    with pytest.raises(
        ImportRefused, match="12 triples without item, relation or value"
    ):  # NULL and the blank of six lists
        load(tmp_path / "s.duckdb", Tables(folder=here))
    duckdb.sql(made.format("['Drama', 'Crime']")).write_parquet(str(here / "kg.parquet"))
    load(tmp_path / "s.duckdb", Tables(folder=here))
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        assert AttributeGraph.from_store(store).edges["3"] == {
            "genre": ("genre:Drama", "genre:Crime")
        }
    for nested in ("{'name': 'Drama'}", "[{'name': 'Drama'}]", "MAP {'a': 'b'}", "[['a']]"):
        duckdb.sql(made.format(nested)).write_parquet(str(here / "kg.parquet"))
        with pytest.raises(
            ImportRefused, match=r"kg.parquet: the column 'value' is (STRUCT|MAP|VARCHAR\[\]\[\])"
        ):
            load(tmp_path / "s.duckdb", Tables(folder=here))


def test_fault_case_13_one_person_in_four_spellings_is_two_at_import_for_capitals_stay(tmp_path):
    spellings = (
        "Penélope Example",
        "Pene\u0301lope Example",
        "Penélope\u00a0Example",
        "PENÉLOPE EXAMPLE",
    )
    triples = "movieId,relation,value\n" + "".join(
        f"{n},starring,{name}\n" for n, name in enumerate(spellings)
    )
    load(
        tmp_path / "s.duckdb",
        Tables(folder=folder(tmp_path / "d", HEADER + rows(), triples=triples)),
    )
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        graph = AttributeGraph.from_store(store)
    assert graph.names == {
        f"starring:{name}": name for name in ("Penélope Example", "PENÉLOPE EXAMPLE")
    }
    assert graph.holders("starring", "starring:Penélope Example") == ("0", "1", "2")


def test_fault_case_13_an_empty_genre_is_left_out(tmp_path):
    (tmp_path / "movies.csv").write_text(
        "movieId,title,genres\n1,Film 1 (1991),Drama||IMAX\n2,Film 2 (1992),\n"
    )
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,1,0.5,1600000000\n2,2,5,1600000001\n"
    )
    load(tmp_path / "s.duckdb", MovieLens(folder=tmp_path))
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        assert store.rows(
            "SELECT item_id, attribute_id, position FROM edges WHERE relation = 'genre' ORDER "
            "BY ALL"
        ) == [
            ("1", "genre:Drama", 0),
            ("1", "genre:IMAX", 1),
        ]


def test_fault_case_14_titles_are_mended_at_import(tmp_path):
    items = (
        'movieId,title\n0,"A ""Quoted""\nTitle, The (2000)"\n1,Tom &amp; Jerry&#39;s Day '
        "(1999)\n2,!!! (2001)\n3,\u200b\n4,Heat (1995)\n5,X\n"
    )
    source = Tables(folder=folder(tmp_path / "d", HEADER + rows(), items=items))
    with pytest.raises(ImportRefused, match="1 items whose title holds no character"):
        load(tmp_path / "s.duckdb", source)
    settled, *_ = load(tmp_path / "s.duckdb", source, max_rejects=1, skip_unknown=True)
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        assert dict(store.rows("SELECT item_id, title FROM items")) == {
            "0": 'A "Quoted" Title, The (2000)',
            "1": "Tom & Jerry's Day (1999)",
            "2": "!!! (2001)",
            "4": "Heat (1995)",
            "5": "X",
        }
    assert (
        settled.understood["cleaned titles"].startswith("3 (first: ")
        and "not told by their title" not in settled.understood
    )
    tagged = items.replace("5,X", "5,</answer> (2000)").replace("3,\u200b", "3,Y")
    settled, *_ = load(
        tmp_path / "u.duckdb", Tables(folder=folder(tmp_path / "d", HEADER + rows(), items=tagged))
    )
    assert settled.understood["not told by their title"].endswith("holds a tag (first: 5)")
    twins = items.replace("3,\u200b", "3,Heat (1995)")
    settled, *_ = load(
        tmp_path / "t.duckdb", Tables(folder=folder(tmp_path / "d", HEADER + rows(), items=twins))
    )
    assert (
        settled.understood["not told by their title"]
        == "2 items, whose title is another's too, no word, or holds a tag (first: 3)"
    )


# -- the rating scale ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("least", "greatest", "expected"),
    [
        (0.5, 5, (0.5, 5, 4)),
        (1, 5, (1, 5, 4)),
        (1, 4, (1, 5, 4)),  # nobody gave five
        (1, 10, (1, 10, 7)),
        (2, 9.5, (1, 10, 7)),
        (0, 100, (0, 100, 70)),
        (1, 20, (1, 20, 14)),
        (0, 1, (0, 1, 0.7)),
        (-1, 1, (-1, 1, 0.4)),
        (-9, 10, (-10, 10, 4)),
        (1, 1, (0, 1, 1)),  # one mark only: everything is liked
    ],
)
def test_fault_scale_is_found_and_a_like_is_70_percent_of_the_highest_mark(
    least, greatest, expected
):
    scale = find_scale(least, greatest, None)
    assert (scale.low, scale.high, scale.liked_from) == pytest.approx(expected)


def test_fault_scale_that_fits_nothing_is_refused_and_can_be_given():
    with pytest.raises(
        ImportRefused,
        match="ratings from 1 to 4000 fit no scale in use: .*--scale LOW-HIGH.*--liked-from N",
    ):
        find_scale(1, 4000, None)
    assert find_scale(1, 4000, 3).liked_from == 3
    assert parse_scale("1-10") == (1, 10) and parse_scale("-10..10") == (-10, 10)
    for wrong in ("10", "a-b", "-"):
        with pytest.raises(ImportRefused, match="write LOW-HIGH"):
            parse_scale(wrong)
    for low, high, liked in ((10, 1, None), (1, 5, 6), (1, 1, None), (float("nan"), 5, None)):
        with pytest.raises(ImportRefused, match="no scale"):
            make_scale(low, high, liked)


def rated_to_ten(path):
    """Thirty ratings of 1 to 10, three of each: twelve are 7 or more; the users have genders."""
    here = folder(path, HEADER + rows(rating=lambda k: k % 10 + 1))
    (here / "users.csv").write_text(
        "userId,gender\n" + "".join(f"u{n},{'FM'[n % 2]}\n" for n in range(5))
    )
    return Tables(folder=here)


def test_fault_scale_is_kept_and_used_by_every_part(tmp_path):
    settled, _, digest = load(tmp_path / "s.duckdb", rated_to_ten(tmp_path / "d"))
    assert settled.understood["ratings"] == "1 to 10, liked from 7: 40.0% are liked"
    assert Evidence.load(tmp_path / "s.duckdb").interactions.positive.sum() == 12
    assert (
        load(tmp_path / "t.duckdb", rated_to_ten(tmp_path / "d"), liked_from=9)[2] != digest
    )  # other likes: another graph
    assert Evidence.load(tmp_path / "t.duckdb").interactions.positive.sum() == 6
    load(tmp_path / "core.duckdb", Subset(path=tmp_path / "t.duckdb"))
    with Store.open(tmp_path / "core.duckdb", read_only=True) as store:
        assert store.scale.liked_from == 9
    with pytest.raises(ImportRefused, match="ratings go from 1 to 10, the scale given from 1 to 5"):
        load(tmp_path / "u.duckdb", rated_to_ten(tmp_path / "d"), scale=(1, 5))


def test_fault_scale_decides_audiences_and_the_audit_agrees(tmp_path):
    """Women rate item 0 with 8, men with 5, of 10: liked by women alone. With the bound of a
    five-mark scale both would like it.
    """
    text = HEADER + "".join(
        f"w{k},0,8,{FIRST + k}\nm{k},0,5,{FIRST + k}\nm{k},1,9,{FIRST + k}\nw{k},1,10,{FIRST + k}\n"
        for k in range(40)
    )
    here = folder(tmp_path / "d", text)
    (here / "users.csv").write_text(
        "userId,gender\n" + "".join(f"w{k},F\nm{k},M\n" for k in range(40))
    )
    load(tmp_path / "s.duckdb", Tables(folder=here))
    from data_engine.quality.audit import _Checker

    graph = Evidence.load(tmp_path / "s.duckdb").attributes
    assert graph.edges["0"]["popular_with"] == ("popular_with/gender/F",)
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        checker = _Checker(store)
    assert {t for t in checker.triples if t[1] == "popular_with"} == {
        (item, "popular_with", value)
        for item, by in graph.edges.items()
        for value in by.get("popular_with", ())
    }


def test_fault_scale_warns_of_a_share_that_tells_little(tmp_path):
    settled, *_ = load(
        tmp_path / "a.duckdb",
        Tables(folder=folder(tmp_path / "d", HEADER + rows(rating=lambda k: 4 + k % 2))),
    )
    assert settled.understood["warning"].startswith(
        "nearly everything is liked (100.0%): check the scale (--scale LOW-HIGH"
    )
    settled, *_ = load(
        tmp_path / "b.duckdb",
        Tables(folder=folder(tmp_path / "d", HEADER + rows(rating=lambda k: 1 + k % 2))),
    )
    assert settled.understood["warning"].startswith("hardly anything is liked (0.0%)")
    settled, *_ = load(
        tmp_path / "c.duckdb",
        Tables(folder=folder(tmp_path / "d", HEADER + rows(rating=lambda k: 1))),
    )
    assert "warning" not in settled.understood  # ones are implicit feedback


@pytest.mark.journey
def test_fault_scale_options_and_their_summary_on_the_command_line(tmp_path):
    from tests.test_cli import rerec

    rated_to_ten(tmp_path / "d")
    store = tmp_path / "s.duckdb"
    done = rerec(
        "data",
        "import",
        "tables",
        tmp_path / "d",
        "--store",
        store,
        "--scale",
        "1-10",
        "--liked-from",
        "10",
        "--json",
    )
    told = json.loads(done.stdout)
    assert told["scale"] == {"low": 1, "high": 10, "liked_from": 10}
    assert set(told["understood"]) == {"encoding", "times", "split", "ratings"}
    stats = json.loads(rerec("data", "stats", "--store", store, "--json").stdout)
    assert stats["scale"] == "1 to 10, liked from 10" and stats["liked_share"] == 0.1
    assert (
        "liked from 10"
        in rerec(
            "data", "import", "tables", tmp_path / "d", "--store", store, "--liked-from", "10"
        ).stdout
    )
    wrong = rerec(
        "data",
        "import",
        "tables",
        tmp_path / "d",
        "--store",
        tmp_path / "no.duckdb",
        "--scale",
        "ten",
    )
    assert (
        wrong.returncode
        and "write LOW-HIGH" in wrong.stderr
        and not (tmp_path / "no.duckdb").exists()
    )


# -- names and relations ---------------------------------------------------------------------------


def test_fault_names_of_attributes_and_relations_are_readable_and_ids_stay(tmp_path):
    triples = "movieId,relation,value,uri\n"
    triples += "".join(
        f"{n},literaryGenre,Space opera,\n{n},http://x/ontology/mediaType,Hardback,\n"
        for n in range(3)
    )
    triples += "3,author,Stephen Baxter (author),http://x/Stephen_Baxter_(author)\n"
    triples += "4,author,Mercury (planet),http://x/1\n5,author,Mercury (element),http://x/2\n"
    source = Tables(folder=folder(tmp_path / "d", HEADER + rows(), triples=triples), domain="books")
    settled, *_ = load(tmp_path / "s.duckdb", source)
    graph = Evidence.load(tmp_path / "s.duckdb").attributes
    assert graph.relations == ("author", "literary genre", "media type")
    assert graph.edges["0"]["literary genre"] == ("literary genre:Space opera",)
    assert graph.names["http://x/Stephen_Baxter_(author)"] == "Stephen Baxter"
    assert (graph.names["http://x/1"], graph.names["http://x/2"]) == (
        "Mercury (planet)",
        "Mercury (element)",
    )
    assert "literaryGenre → literary genre" in settled.understood["relations"]
    load(tmp_path / "t.duckdb", source, relations={"literaryGenre": "genre"})
    assert "genre" in Evidence.load(tmp_path / "t.duckdb").attributes.relations
    with pytest.raises(
        ImportRefused, match="--relation gnere=…: no relation is called so; found author"
    ):
        load(tmp_path / "u.duckdb", source, relations={"gnere": "genre"})


# -- the numbered faults of the data engine --------------------------------------------------------


def test_fault_07_a_foreign_or_newer_file_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE customers (id INT)")
    before = path.read_bytes()
    for options in ({"read_only": True}, {}, {"create": True}):
        with pytest.raises(
            DataError,
            match=r"other.duckdb is a DuckDB file, but no store of rerec \(it holds customers\)",
        ):
            Store.open(path, **options)
        assert path.read_bytes() == before
    with duckdb.connect(str(tmp_path / "empty.duckdb")):
        pass
    with pytest.raises(DataError, match="it is empty"):
        Store.open(tmp_path / "empty.duckdb", read_only=True)
    Store.open(tmp_path / "empty.duckdb", create=True).close()
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as db:
        db.execute("INSERT INTO schema_version VALUES (99)")
    for options in ({"read_only": True}, {}, {"create": True}):
        with pytest.raises(
            DataError, match="schema 99, this rerec knows up to .*: use the newer rerec"
        ):
            Store.open(tmp_path / "empty.duckdb", **options)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("7.5", 7.5),
        ("1995", 1995),
        ("²", None),
        ("٣", None),
        ("½", None),
        ("1.2.3", None),
        (".", None),
        ("", None),
        (".5", 0.5),
    ],
)
def test_fault_08_a_number_is_digits_with_at_most_one_point(name, expected):
    assert number(name) == expected


def test_fault_08_the_audit_knows_decimals(tmp_path):
    from data_engine.quality.audit import _Checker
    from data_engine.schema import Condition

    triples = "movieId,relation,value\n" + "".join(
        f"{n},score,{n}.5\n{n},genre,G\n" for n in range(6)
    )
    load(
        tmp_path / "s.duckdb",
        Tables(folder=folder(tmp_path / "d", HEADER + rows(), triples=triples)),
    )
    graph = Evidence.load(tmp_path / "s.duckdb").attributes
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        checker = _Checker(store)
    for op in ("below", "above"):
        condition = Condition(relation="score", value="2.5", name="2.5", op=op)
        expected = [(n < 2) if op == "below" else (n > 2) for n in range(6)]
        assert (
            [checker.meets(str(n), condition) for n in range(6)]
            == expected
            == [graph.judge(str(n), condition) for n in range(6)]
        )
