"""Importing: what loads, what is refused and in which words, and that nothing is half-written."""

import gzip
from collections import Counter
from dataclasses import replace

import pytest

from data_engine.errors import DataError, ImportRefused
from data_engine.evidence import Evidence
from data_engine.graphs import AttributeGraph, InteractionGraph
from data_engine.importers.tables import read_folder
from data_engine.importers.world import WorldConfig, make_world
from data_engine.schema import Condition
from data_engine.store import Store, catalogue_digest, check
from tests.conftest import SHARED, hand_catalogue

RATINGS = "userId,movieId,rating,timestamp\n1,10,4.5,100\n1,11,2,101\n2,10,5,102\n"
ITEMS = "movieId\ttitle\n10\tHeat (1995)\n11\tBig (1988)\n"
TRIPLES = "movieId\trelation\tvalue\turi\n10\tdirector\tMichael Mann\thttp://x/mann\n10\tgenre\tCrime\t\n11\tgenre\tComedy\t\n"


def folder(tmp_path, ratings=RATINGS, items=ITEMS, triples=TRIPLES):
    (tmp_path / "ratings.csv").write_text(ratings)
    (tmp_path / "movies.tsv").write_text(items)
    with gzip.open(tmp_path / "kg.tsv.gz", "wt") as handle:
        handle.write(triples)
    return tmp_path


def test_tables_become_two_graphs(tmp_path):
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(read_folder(folder(tmp_path), "movies"))
        graph, likes = AttributeGraph.from_store(store), InteractionGraph.from_store(store)
    assert graph.edge_sets["10"] == {("director", "http://x/mann"), ("genre", "genre:Crime")}
    assert graph.names["http://x/mann"] == "Michael Mann"
    assert likes.liked == {"1": ("10",), "2": ("10",)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ratings": RATINGS.replace("movieId", "film")}, "ratings.csv: no item column"),
        ({"ratings": RATINGS + "2,99,4,103\n"}, "name 1 items that are not among the 2 items (first: '99')"),
        ({"ratings": RATINGS + "2,10,good,103\n"}, "line 5: rating and time must be numbers"),
        ({"ratings": RATINGS + "2\n"}, "line 5: 1 fields"),
        ({"items": "movieId\ttitle\n"}, "no items found"),
        ({"triples": TRIPLES.splitlines()[0] + "\n"}, "the attribute graph is empty"),
        ({"ratings": ""}, "an empty file"),
    ],
)
def test_bad_tables_are_refused_with_one_clear_line_and_nothing_is_written(tmp_path, change, words):
    with pytest.raises(ImportRefused) as refused:
        check(read_folder(folder(tmp_path, **change), "movies"))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_unknown_items_can_be_skipped_on_request(tmp_path):
    found = read_folder(folder(tmp_path, ratings=RATINGS + "2,99,4,103\n"), "movies", skip_unknown=True)
    assert {row[1] for row in found.interactions} == {"10", "11"}


def test_a_missing_folder_and_a_broken_gzip_say_so(tmp_path):
    with pytest.raises(ImportRefused, match="is no folder"):
        read_folder(tmp_path / "none", "movies")
    folder(tmp_path)
    (tmp_path / "kg.tsv.gz").write_bytes(b"not gzip")
    with pytest.raises(ImportRefused, match="cannot be read"):
        read_folder(tmp_path, "movies")


def test_a_failed_import_leaves_the_old_catalogue(tmp_path):
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        digest = store.replace_catalogue(hand_catalogue())
        bad = hand_catalogue()
        with pytest.raises(ImportRefused):
            store.replace_catalogue(replace(bad, edges=[*bad.edges, ("nowhere", "genre", "Drama", 0)]))
        assert store.graph_digest == digest
        assert store.rows("SELECT count(*) FROM items") == [(12,)]


def test_the_digest_ignores_row_order_and_notices_one_changed_edge():
    one = hand_catalogue()
    assert catalogue_digest(one) == catalogue_digest(replace(one, edges=one.edges[::-1]))
    assert catalogue_digest(one) != catalogue_digest(replace(one, edges=one.edges[1:]))


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


def test_a_missing_edge_is_unknown_not_false(hand_store):
    graph = Evidence.load(hand_store).attributes
    assert graph.excludes("i1", "director", "d2")
    assert not graph.excludes("i1", "editor", "x")
    assert graph.meets("i5", (Condition(relation="starring", value="s1", name=""), Condition(relation="starring", value="s2", name="")))


def test_a_neighbourhood_reaches_films_that_share_a_fact(hand_store):
    graph = Evidence.load(hand_store).attributes
    near = graph.neighbourhood("i1", 2)
    assert ("item", "i2") in near and ("item", "i12") not in near  # i12 shares no edge with i1
    assert near.nodes["attribute", "d1"]["label"] == "Ann Arden"


def test_the_world_is_large_varied_and_the_same_for_the_same_seed():
    one, two, other = (make_world(WorldConfig(seed=s)) for s in (0, 0, 1))
    assert one == two and catalogue_digest(one) != catalogue_digest(other)
    assert len(one.items) >= 1200 and len({r[0] for r in one.interactions}) >= 800 and len({e[1] for e in one.edges}) >= 8
    counts = sorted(Counter(r[1] for r in one.interactions).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.4 * sum(counts)  # the top tenth gets far more than its share


def test_the_real_movies_load_as_they_are(tmp_path):
    if not (SHARED / "movies").is_dir():
        pytest.skip("the real movies are not here")
    found = read_folder(SHARED / "movies", "movies")
    check(found)
    assert (len(found.items), len(found.interactions), len(found.edges)) == (2202, 61550, 33289)
