"""Text files as people really have them: read as they are meant, or refused in one line that
says what to do.
"""

import duckdb
import pytest

from data_engine.errors import DataError, ImportRefused
from data_engine.graphs.evidence import Evidence
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from tests.data_engine.files import FIRST, HEADER, amazon, folder, load, rows


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
