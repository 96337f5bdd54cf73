"""Importing: what loads, what is refused and in which words, and that nothing is half-written."""

import gzip
import shutil
from collections import Counter
from dataclasses import replace

import duckdb
import pytest

from data_engine.errors import DataError, ImportRefused
from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.evidence import Evidence
from data_engine.graphs.interactions import InteractionGraph
from data_engine.importers.tables import Tables
from data_engine.importers.world import WorldConfig, make_world
from data_engine.schema import Condition
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.conftest import SHARED, hand_catalogue

RATINGS = "userId,movieId,rating,timestamp\n1,10,4.5,100\n1,11,2,101\n2,10,5,102\n"
ITEMS = "movieId\ttitle\n10\tHeat (1995)\n11\tBig (1988)\n"
TRIPLES = (
    "movieId\trelation\tvalue\turi\n10\tdirector\tMichael "
    "Mann\thttp://x/mann\n10\tgenre\tCrime\t\n11\tgenre\tComedy\t\n"
)


def folder(tmp_path, ratings=RATINGS, items=ITEMS, triples=TRIPLES):
    (tmp_path / "ratings.csv").write_text(ratings)
    (tmp_path / "movies.tsv").write_text(items)
    with gzip.open(tmp_path / "kg.tsv.gz", "wt") as handle:
        handle.write(triples)
    return tmp_path


def imported(path, source, **tolerance):
    """(what was left out, counts, graph) of an import into a new store at `path`."""
    with Store.open(path, create=True) as store:
        settled = store.replace_catalogue(source, ImportOptions(**tolerance))
        return (
            settled,
            store.counts(),
            AttributeGraph.from_store(store),
            InteractionGraph.from_store(store),
        )


def test_tables_become_two_graphs(tmp_path):
    _, counts, graph, likes = imported(tmp_path / "s.duckdb", Tables(folder=folder(tmp_path)))
    assert counts == {
        "items": 2,
        "attributes": 3,
        "edges": 3,
        "interactions": 3,
        "users": 0,
        "links": 0,
    }
    assert graph.edge_sets["10"] == {("director", "http://x/mann"), ("genre", "genre:Crime")}
    assert graph.names["http://x/mann"] == "Michael Mann"
    assert likes.liked == {"1": ("10",), "2": ("10",)}


def test_parquet_other_names_users_and_likes_load_too(tmp_path):
    here = folder(tmp_path)
    duckdb.sql(
        "SELECT * FROM (VALUES ('a', '10', true), ('b', '11', false), ('b', '10', NULL)) "
        "t(who, film, liked)"
    ).write_parquet(str(here / "x.parquet"))
    (here / "people.csv").write_text("id,age,gender\na,33,F\nb,,M\n")
    files = {"ratings": here / "x.parquet", "users": here / "people.csv"}
    source = Tables(folder=here, files=files, columns={"user": "who", "item": "film"})
    with pytest.raises(
        ImportRefused,
        match="people.csv: no user column: expected one of who, userId, .*; found id, age, gender",
    ):
        imported(tmp_path / "no.duckdb", source)
    with pytest.raises(ImportRefused, match="no file has the time column 'when'"):
        imported(tmp_path / "no.duckdb", source.model_copy(update={"columns": {"time": "when"}}))
    (here / "people.csv").write_text("who,age,gender\na,33,F\nb,,M\n")
    _, counts, _, likes = imported(tmp_path / "s.duckdb", source)
    assert counts["users"] == 2 and likes.liked == {
        "a": ("10",),
        "b": ("10",),
    }  # liked, not liked, and neither said: implicit


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ratings": RATINGS.replace("movieId", "film")}, "ratings.csv: no item column"),
        (
            {"ratings": RATINGS + "2,99,4,103\n"},
            "name 1 items that are not among the 2 items (first: '99')",
        ),
        (
            {"ratings": RATINGS + "2,10,good,103\n"},
            'ratings.csv line 5: Error when converting column "rating"',
        ),
        (
            {"ratings": RATINGS + "2\n"},
            "ratings.csv line 5: Expected Number of Columns: 4 Found: 1",
        ),
        (
            {"ratings": RATINGS + "2,10,nan,103\n"},
            "1 interactions without user or item, or with a rating or time that is no finite "
            "number",
        ),
        ({"ratings": RATINGS + ",10,4,103\n"}, "1 interactions without user"),
        (
            {"ratings": RATINGS.replace("rating,timestamp", "rating,rating")},
            "two columns are called 'rating'",
        ),
        ({"items": "movieId\ttitle\n"}, "no items found"),
        ({"items": ITEMS + "10\tRonin (1998)\n"}, "1 items share an id with another (first: '10')"),
        ({"triples": TRIPLES.splitlines()[0] + "\n"}, "the attribute graph is empty"),
        ({"triples": TRIPLES + "10\t\tx\t\n"}, "1 triples without item, relation or value"),
        ({"ratings": ""}, "an empty file"),
    ],
)
def test_bad_tables_are_refused_with_one_clear_line_and_the_old_state_stays(
    tmp_path, change, words
):
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(hand_catalogue())
        digest = store.graph_digest
        with pytest.raises(ImportRefused) as refused:
            store.replace_catalogue(Tables(folder=folder(tmp_path, **change)))
        assert words in str(refused.value) and "\n" not in str(refused.value)
        assert store.graph_digest == digest and store.counts()["items"] == 12


def test_unreadable_rows_pass_only_as_many_as_allowed_and_are_counted(tmp_path):
    source = Tables(folder=folder(tmp_path, ratings=RATINGS + "2,10,good,103\n,10,4,103\n2\n"))
    with pytest.raises(
        ImportRefused,
        match="3 rows cannot be read in all: mend them, or let them pass with --max-rejects 3",
    ):
        imported(tmp_path / "no.duckdb", source, max_rejects=2)
    settled, counts, _, _ = imported(tmp_path / "s.duckdb", source, max_rejects=3)
    assert settled.rejected == 3 and counts["interactions"] == 3


def test_unknown_items_can_be_skipped_on_request_and_are_counted(tmp_path):
    source = Tables(
        folder=folder(
            tmp_path, ratings=RATINGS + "2,99,4,103\n", triples=TRIPLES + "98\tgenre\tOdd\t\n"
        )
    )
    settled, counts, graph, _ = imported(tmp_path / "s.duckdb", source, skip_unknown=True)
    assert settled.skipped == 2 and counts["interactions"] == 3 and "genre:Odd" not in graph.names


def test_a_missing_folder_and_a_broken_gzip_say_so(tmp_path):
    with pytest.raises(ImportRefused, match="is no folder"):
        imported(tmp_path / "a.duckdb", Tables(folder=tmp_path / "none"))
    folder(tmp_path)
    (tmp_path / "kg.tsv.gz").write_bytes(b"not gzip")
    with pytest.raises(ImportRefused, match="cannot be read"):
        imported(tmp_path / "b.duckdb", Tables(folder=tmp_path))
    whole = gzip.compress(TRIPLES.encode() * 1000)
    (tmp_path / "kg.tsv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImportRefused, match="cannot be read"):
        imported(tmp_path / "c.duckdb", Tables(folder=tmp_path))


def digest_of(path, catalogue):
    with Store.open(path, create=True) as store:
        store.replace_catalogue(catalogue)
        return store.graph_digest


def test_the_digest_ignores_row_order_and_notices_one_changed_edge(tmp_path):
    one = hand_catalogue()
    digest = digest_of(tmp_path / "1.duckdb", one)
    assert digest == digest_of(
        tmp_path / "2.duckdb",
        replace(one, edges=one.edges[::-1], interactions=one.interactions[::-1]),
    )
    assert digest != digest_of(tmp_path / "3.duckdb", replace(one, edges=one.edges[1:]))
    assert digest != digest_of(
        tmp_path / "4.duckdb", replace(one, interactions=one.interactions[1:])
    )


def test_a_store_of_an_older_rerec_is_brought_up_to_date_when_it_is_read(tmp_path):
    path = tmp_path / "s.duckdb"
    digest = digest_of(path, hand_catalogue())
    with duckdb.connect(str(path)) as db:
        db.execute(
            "DROP TABLE links; ALTER TABLE interactions DROP COLUMN liked; DELETE FROM "
            "schema_version WHERE version > 3"
        )
    assert Evidence.load(path).digest == digest
    with duckdb.connect(str(path)) as db:
        db.execute("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(DataError, match="use the newer rerec"):
        Store.open(path)


def test_embeddings_of_another_graph_are_refused(tmp_path):
    import numpy as np

    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(hand_catalogue())
        store.save_embeddings(["i1"], np.ones((1, 2)), {})
        assert list(store.embeddings()) == ["i1"]
        store.set_meta("graph_digest", "other")
        with pytest.raises(DataError, match="rerec data embed"):
            store.embeddings()


def test_opening_what_is_no_store_says_so(tmp_path):
    with pytest.raises(DataError, match="no store at"):
        Store.open(tmp_path / "none.duckdb")
    (tmp_path / "text.duckdb").write_text("hello")
    with pytest.raises(DataError, match="cannot open the store"):
        Store.open(tmp_path / "text.duckdb")


def test_a_store_that_lacks_a_table_or_whose_example_is_damaged_says_so(tmp_path, film_store):
    path = tmp_path / "s.duckdb"
    shutil.copy(film_store, path)
    with duckdb.connect(str(path)) as db:
        changed = db.execute("UPDATE examples SET body = '{}' RETURNING example_id").fetchall()
    example_id = changed[0][0]
    with Store.open(path) as store:
        with pytest.raises(DataError, match=f"Example {example_id} .* is damaged .*rerec synth"):
            store.example(example_id)
        with pytest.raises(DataError, match=r"is damaged .*rerec synth"):
            store.examples()
        store.db.execute("DROP TABLE edges")
    with pytest.raises(DataError, match=r"cannot read or write the store .*edges"):
        Evidence.load(path)


def test_a_missing_edge_is_unknown_not_false(hand_store):
    graph = Evidence.load(hand_store).attributes
    assert graph.excludes("i1", "director", "d2")
    assert not graph.excludes("i1", "editor", "x")
    assert graph.meets(
        "i5",
        (
            Condition(relation="starring", value="s1", name=""),
            Condition(relation="starring", value="s2", name=""),
        ),
    )


def test_a_neighbourhood_reaches_films_that_share_a_fact(hand_store):
    graph = Evidence.load(hand_store).attributes
    near = graph.neighbourhood("i1", 2)
    assert ("item", "i2") in near and ("item", "i12") not in near  # i12 shares no edge with i1
    assert near.nodes["attribute", "d1"]["label"] == "Ann Arden"


def test_the_world_is_large_varied_and_the_same_for_the_same_seed():
    one, two, other = (make_world(WorldConfig(seed=s)) for s in (0, 0, 1))
    assert one == two and one != other
    assert (
        len(one.items) >= 1200
        and len({r[0] for r in one.interactions}) >= 800
        and len({e[1] for e in one.edges}) >= 8
    )
    counts = sorted(Counter(r[1] for r in one.interactions).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.4 * sum(
        counts
    )  # the top tenth gets far more than its share


def test_the_real_movies_load_as_they_are(tmp_path):
    if not (SHARED / "movies").is_dir():
        pytest.skip("the real movies are not here")
    _, counts, graph, _ = imported(tmp_path / "s.duckdb", Tables(folder=SHARED / "movies"))
    assert (counts["items"], counts["interactions"], counts["edges"]) == (2202, 61550, 33289)
    assert len(graph.relations) == 10
