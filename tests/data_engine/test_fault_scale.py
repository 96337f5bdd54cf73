"""The rating scale: found or given, kept, and used by every part."""

import json

import pytest

from data_engine.datasets.subset import Subset
from data_engine.errors import ImportRefused
from data_engine.graphs.evidence import Evidence
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from data_engine.store.ratings import find_scale, make_scale, parse_scale
from tests.data_engine.files import FIRST, HEADER, folder, load, rows


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
