"""Values, names and numbers of tables as people really have them."""

import duckdb
import pytest

from data_engine.errors import ImportRefused
from data_engine.facts import number
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.importers.movielens import MovieLens
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from tests.data_engine.files import HEADER, folder, load, rows


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
