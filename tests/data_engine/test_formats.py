"""Each format a user may arrive with, as small files written by hand, against the rows they must
become.
"""

import gzip
import json

import networkx as nx
import pytest

from data_engine.errors import ImportRefused
from data_engine.graphs.evidence import Evidence
from data_engine.importers.amazon import Amazon
from data_engine.importers.graph_files import GraphFile
from data_engine.importers.movielens import GENRES_100K, MovieLens
from data_engine.importers.recbole import RecBole
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.conftest import SHARED, hand_catalogue
from tests.test_cli import rerec


@pytest.fixture
def load(tmp_path):
    """load(source) → (the store's rows by table, what was left out)."""

    def run(source, **tolerance):
        with Store.open(tmp_path / "s.duckdb", create=True) as store:
            settled = store.replace_catalogue(source, ImportOptions(**tolerance))
            tables = {
                "items": store.rows("FROM items ORDER BY ALL"),
                "edges": store.rows(
                    "SELECT item_id, relation, name, position FROM edges JOIN attributes USING "
                    "(attribute_id) ORDER BY ALL"
                ),
                "interactions": store.rows(
                    "SELECT user_id, item_id, rating, timestamp FROM interactions ORDER BY ALL"
                ),
                "users": store.rows("FROM users ORDER BY ALL"),
                "links": store.rows("FROM links ORDER BY ALL"),
            }
            return tables, settled

    return run


HEAT = [("1", "genre", "Action", 0), ("1", "genre", "Crime", 1), ("1", "year", "1995", 0)]
AMELIE = [("2", "genre", "Comedy", 0), ("2", "year", "2001", 0)]
ITEMS = [("1", "Heat (1995)"), ("2", "Fabuleux destin d'Amélie Poulain, Le (2001)")]
RATED = [("7", "1", 4.0, 100), ("8", "2", 3.5, 200)]


def flags(*genres):
    return "|".join("1" if g in genres else "0" for g in GENRES_100K)


def test_movielens_100k(tmp_path, load):
    lines = [
        f"1|Heat (1995)|01-Jan-1995||http://x|{flags('Action', 'Crime')}",
        f"2|{ITEMS[1][1]}|||http://x|{flags('Comedy')}",
    ]
    (tmp_path / "u.item").write_text("\n".join(lines) + "\n", encoding="latin-1")
    (tmp_path / "u.data").write_text("7\t1\t4\t100\n8\t2\t3.5\t200\n")
    (tmp_path / "u.user").write_text("7|24|M|technician|85711\n8|53|F|other|94043\n")
    tables, _ = load(MovieLens(folder=tmp_path))
    assert tables == {
        "items": ITEMS,
        "edges": HEAT + AMELIE,
        "interactions": RATED,
        "users": [("7", "24", "M", "technician"), ("8", "53", "F", "other")],
        "links": [],
    }


def test_movielens_1m_and_10m(tmp_path, load):
    (tmp_path / "movies.dat").write_text(
        f"1::Heat (1995)::Action|Crime\n2::{ITEMS[1][1]}::Comedy\n", encoding="latin-1"
    )
    (tmp_path / "ratings.dat").write_text("7::1::4::100\n8::2::3.5::200\n")
    (tmp_path / "users.dat").write_text("7::F::1::10::48067\n8::M::56::16::70072\n")
    tables, _ = load(MovieLens(folder=tmp_path))
    assert tables["users"] == [
        ("7", "under 18", "F", "K-12 student"),
        ("8", "56+", "M", "self-employed"),
    ]
    assert (tables["items"], tables["edges"], tables["interactions"]) == (
        ITEMS,
        HEAT + AMELIE,
        RATED,
    )
    (tmp_path / "users.dat").unlink()
    (tmp_path / "tags.dat").write_text("7::1::Neo-Noir::5\n8::1::neo-noir ::6\n")
    tables, _ = load(MovieLens(folder=tmp_path))
    assert (
        tables["users"] == []
        and ("1", "tag", "neo-noir", 0) in tables["edges"]
        and len(tables["edges"]) == 6
    )


def test_movielens_csv_layouts(tmp_path, load):
    (tmp_path / "movies.csv").write_text(
        f'movieId,title,genres\n1,Heat (1995),Action|Crime\n2,"{ITEMS[1][1]}",Comedy\n3,Odd,(no '
        "genres listed)\n"
    )
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n7,1,4.0,100\n8,2,3.5,200\n"
    )
    (tmp_path / "tags.csv").write_text("userId,movieId,tag,timestamp\n7,1,Heist,5\n")
    (tmp_path / "links.csv").write_text("movieId,imdbId,tmdbId\n1,113277,949\n2,0211915,\n")
    (tmp_path / "kg.tsv").write_text(
        "movieId\trelation\tvalue\turi\n1\tdirector\tMichael Mann\thttp://x/mann\n"
    )
    tables, _ = load(MovieLens(folder=tmp_path, triples=tmp_path / "kg.tsv"))
    assert tables["items"] == [*ITEMS, ("3", "Odd")] and tables["interactions"] == RATED
    assert tables["links"] == [
        ("1", "imdb", "tt0113277"),
        ("1", "tmdb", "949"),
        ("2", "imdb", "tt0211915"),
    ]
    assert tables["edges"] == [
        ("1", "director", "Michael Mann", 0),
        *HEAT[:2],
        ("1", "tag", "heist", 0),
        HEAT[2],
        *AMELIE,
    ]


def test_movielens_says_what_is_missing(tmp_path, load):
    with pytest.raises(
        ImportRefused, match="expected u.item .100K., movies.dat .1M, 10M. or movies.csv"
    ):
        load(MovieLens(folder=tmp_path))
    (tmp_path / "movies.dat").write_text("1::Heat (1995)::Action\n")
    with pytest.raises(
        ImportRefused,
        match="ratings.dat is missing: copy it there, or give the ratings as --ratings",
    ):
        load(MovieLens(folder=tmp_path))
    (tmp_path / "ratings.dat").write_text("7::1::4::100\n7::1::x\n")
    with pytest.raises(ImportRefused, match="ratings.dat line 2"):
        load(MovieLens(folder=tmp_path))


def test_the_real_ml_1m_loads_with_its_users(tmp_path):
    folder = SHARED / "ml-1m"
    if not folder.is_dir():
        pytest.skip("ML-1M is not here")
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(
            MovieLens(folder=folder, ratings=folder / "pairs.tsv.gz", triples=folder / "kg.tsv.gz")
        )
        counts = store.counts()
        assert (counts["items"], counts["interactions"], counts["users"]) == (3883, 999_553, 6040)
        (liked,) = store.rows("SELECT count(*) FROM interactions WHERE liked")[0]
    evidence = Evidence.load(tmp_path / "s.duckdb")
    assert (
        evidence.demographics == {"age", "gender", "occupation"}
        and evidence.interactions.positive.sum() == liked
    )


def test_recbole_atomic_files(tmp_path, load):
    write = {
        "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "7\t1\t4\t100\n8\t2\t3.5\t200.0\n",
        "item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "1\tHeat\t1995\tAction Crime\n2\tAmélie\t2001\tComedy\n",
        "user": "user_id:token\tage:token\tgender:token\n7\t24\tM\n8\t53\tF\n",
        "kg": "head_id:token\trelation_id:token\ttail_id:token\n"
        "m.1\tfilm.director\tm.9\nm.8\tfilm.director\tm.9\n",
        "link": "item_id:token\tentity_id:token\n1\tm.1\n",
    }
    for part, text in write.items():
        (tmp_path / f"tiny.{part}").write_text(text)
    tables, _ = load(RecBole(folder=tmp_path, domain="movies"))
    assert tables["items"] == [("1", "Heat"), ("2", "Amélie")] and tables["interactions"] == RATED
    assert tables["edges"] == [
        ("1", "class", "Action", 0),
        ("1", "class", "Crime", 1),
        ("1", "director", "m.9", 0),
        ("1", "release year", "1995", 0),
        ("2", "class", "Comedy", 0),
        ("2", "release year", "2001", 0),
    ]
    assert tables["users"] == [("7", "24", "M", None), ("8", "53", "F", None)]
    (tmp_path / "tiny.item").write_text("item_id,title\n1,Heat\n")
    with pytest.raises(ImportRefused, match="the first line must name columns as name:type"):
        load(RecBole(folder=tmp_path))
    (tmp_path / "other.inter").write_text("")
    with pytest.raises(ImportRefused, match="expected one .inter file, found 2"):
        load(RecBole(folder=tmp_path))


def test_amazon_reviews_2023(tmp_path, load):
    meta = [
        {
            "parent_asin": "B1",
            "title": "Dune",
            "store": "Ace",
            "categories": ["Books", "Sci-Fi", "Epic"],
            "author": {"name": "Frank Herbert"},
            "details": {"Language": "English", "Weight": "1 lb", "ISBN 13": "978-0441013593"},
        },
        {
            "parent_asin": "B2",
            "title": "Emma",
            "store": None,
            "categories": [],
            "author": None,
            "details": {},
        },
    ]
    reviews = [
        {
            "user_id": "u",
            "parent_asin": "B1",
            "rating": 5.0,
            "timestamp": 1588687728923,
            "text": "good",
        },
        {"user_id": "v", "parent_asin": "B2", "rating": "bad", "timestamp": 1588687728923},
    ]
    with gzip.open(tmp_path / "meta_Books.jsonl.gz", "wt") as handle:
        handle.write("\n".join(map(json.dumps, meta)) + "\n")
    (tmp_path / "Books.jsonl").write_text(
        "\n".join([*map(json.dumps, reviews), "[1]", '{"user_id":']) + "\n"
    )
    source = Amazon(
        reviews=tmp_path / "Books.jsonl", meta=tmp_path / "meta_Books.jsonl.gz", domain="books"
    )
    with pytest.raises(ImportRefused, match="3 rows cannot be read in all"):
        load(source)
    tables, settled = load(source, max_rejects=3)
    assert tables["links"] == [("B1", "isbn", "9780441013593")]
    assert settled.rejected == 3 and tables["items"] == [("B1", "Dune"), ("B2", "Emma")]
    assert tables["interactions"] == [("u", "B1", 5.0, 1588687728)]
    assert tables["edges"] == [
        ("B1", "author", "Frank Herbert", 0),
        ("B1", "brand", "Ace", 0),
        ("B1", "category", "Epic", 1),
        ("B1", "category", "Sci-Fi", 0),
        ("B1", "language", "English", 0),
    ]


@pytest.fixture
def hand(tmp_path):
    """A store of its own with the hand-made catalogue."""
    with Store.open(tmp_path / "hand.duckdb", create=True) as store:
        store.replace_catalogue(hand_catalogue())
        yield store


EDGES = (
    "SELECT item_id, relation, attribute_id, name FROM edges JOIN attributes USING "
    "(attribute_id) ORDER BY ALL"
)
NT = """# films
<http://f/1> <http://s#director> <http://p/mann> .
<http://f/1> <http://s/year> "1995"^^<http://www.w3.org/2001/XMLSchema#gYear> .
<http://f/9> <http://s/director> <http://p/mann> .
<http://p/mann> <http://www.w3.org/2000/01/rdf-schema#label> "Michael \\"M\\" Mann"@en .
<http://f/1> <http://s/star> <http://p/Al_Pacino> .
"""


def test_n_triples_by_links(tmp_path, hand):
    with gzip.open(tmp_path / "g.nt.gz", "wt") as handle:
        handle.write(NT)
    (tmp_path / "links.csv").write_text("item_id,uri\ni1,http://f/1\n")
    before = hand.graph_digest
    hand.replace_attributes(GraphFile(path=tmp_path / "g.nt.gz", links=tmp_path / "links.csv"))
    assert hand.rows(EDGES) == [
        ("i1", "director", "http://p/mann", 'Michael "M" Mann'),
        ("i1", "star", "http://p/Al_Pacino", "Al Pacino"),
        ("i1", "year", "text:1995", "1995"),
    ]
    assert hand.graph_digest != before and hand.counts()["interactions"] == 48
    (tmp_path / "bad.nt").write_text("<http://f/1> director Mann .\n" + NT)
    with pytest.raises(ImportRefused, match="1 lines that are no N-Triples .first: line 1"):
        hand.replace_attributes(GraphFile(path=tmp_path / "bad.nt", links=tmp_path / "links.csv"))
    with pytest.raises(ImportRefused, match="no edge of an item of the store"):
        hand.replace_attributes(GraphFile(path=tmp_path / "g.nt.gz"))


@pytest.mark.journey
@pytest.mark.parametrize("ending", [".gexf", ".graphml"])
def test_a_graph_file_written_by_us_comes_back_the_same(tmp_path, hand, ending):
    edges, path, store = hand.rows(EDGES), tmp_path / f"g{ending}", tmp_path / "hand.duckdb"
    hand.close()
    assert rerec("data", "export-graph", path, "--store", store).returncode == 0
    assert rerec("data", "import", "graph", path, "--store", store).returncode == 0
    with Store.open(store) as again:
        assert again.rows(EDGES) == edges


def test_a_graph_file_of_titles_and_labels(tmp_path, hand):
    graph = nx.DiGraph()
    graph.add_node("n0", label="Film A (1981)")
    graph.add_node("n1", label="Ann Arden")
    graph.add_edge("n0", "n1", label="Directed_by")
    nx.write_graphml(graph, tmp_path / "g.graphml")
    hand.replace_attributes(GraphFile(path=tmp_path / "g.graphml"))
    assert hand.rows(EDGES) == [("i1", "directed by", "n1", "Ann Arden")]
    (tmp_path / "g.graphml").write_text("<graphml><graph>")
    with pytest.raises(ImportRefused, match="cannot be read"):
        hand.replace_attributes(GraphFile(path=tmp_path / "g.graphml"))
    with pytest.raises(ImportRefused, match="the ending must be .nt"):
        hand.replace_attributes(
            GraphFile(path=tmp_path / "links.csv")
            if (tmp_path / "links.csv").write_text("x")
            else None
        )
