"""RecBole files as converters write them: labels, printed lists, bare ids and "nan"."""

import pytest

from data_engine.errors import ImportRefused
from data_engine.importers.recbole import RecBole, listed
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions

INTER = "user_id:token\titem_id:token\trating:float\nu\t0\t4\nv\t1\t2\n"
ITEM = "item_id:token\ttitle:token_seq\tclass:token_seq\n0\tFilm 0\tDrama\n1\tFilm 1\tCrime\n"


@pytest.fixture
def load(tmp_path):
    """load(inter, item, …) → (edges, interactions, items, what was settled)."""

    def run(inter=INTER, item=ITEM, max_rejects=0, **parts):
        for part, text in {"inter": inter, "item": item, **parts}.items():
            (tmp_path / f"a.{part}").write_text(text)
        with Store.open(tmp_path / "s.duckdb", create=True) as store:
            settled = store.replace_catalogue(
                RecBole(folder=tmp_path), ImportOptions(max_rejects=max_rejects)
            )
            joined = "edges JOIN attributes USING (attribute_id)"
            edges = store.rows(
                f"SELECT item_id, relation, name FROM {joined} ORDER BY item_id, relation, position"
            )
            likes = store.rows(
                "SELECT user_id, item_id, rating, liked FROM interactions ORDER BY ALL"
            )
            return edges, likes, store.rows("FROM items ORDER BY ALL"), settled

    return run


KG = "head_id:token\trelation_id:token\ttail_id:token\n"
CATEGORIES = "item_id:token\ttitle:token_seq\tcategories:token_seq\n"
LABELLED = "user_id:token\titem_id:token\tlabel:float\nu\t0\t1\nu\t1\t0\nv\t0\t0.0\nv\t1\t1.0\n"


def test_fault_case_05_label_is_liked_or_not(load):
    _, likes, _, settled = load(LABELLED)
    assert likes == [
        ("u", "0", None, True),
        ("u", "1", None, False),
        ("v", "0", None, False),
        ("v", "1", None, True),
    ]
    assert "label" in settled.understood["likes"]


def test_fault_case_05_a_label_beside_a_rating_decides(load):
    _, likes, _, _ = load(
        "user_id:token\titem_id:token\trating:float\tlabel:float\nu\t0\t2\t1\nu\t1\t5\t0\n"
    )
    assert likes == [("u", "0", 2.0, True), ("u", "1", 5.0, False)]
    _, likes, _, _ = load()
    assert [liked for *_, liked in likes] == [None, None]


def test_fault_case_05_another_label_is_a_reject(load):
    odd = LABELLED + "w\t0\t2\nw\t1\t\nw\t0\tnan\n"
    with pytest.raises(ImportRefused, match="3 interactions with a label that is neither 1 nor 0"):
        load(odd)
    _, likes, _, settled = load(odd, max_rejects=3)
    assert len(likes) == 4 and settled.rejected == 3


@pytest.mark.parametrize(
    "written",
    [
        "'Musical Instruments', 'Sound & Recording'",
        "['Musical Instruments', 'Sound & Recording']",
        "{'Musical Instruments', 'Sound & Recording'}",
        "('Musical Instruments', 'Sound & Recording',)",
        '["Musical Instruments", "Sound & Recording"]',
        "[['Musical Instruments'], ['Sound & Recording']]",
        "[Musical Instruments, Sound & Recording]",
    ],
)
def test_fault_case_06_a_printed_list_is_several_values(load, written):
    edges, _, _, _ = load(item=CATEGORIES + f"0\tA\t{written}\n1\tB\tDrama Crime\n")
    assert edges == [
        ("0", "categories", "Musical Instruments"),
        ("0", "categories", "Sound & Recording"),
        ("1", "categories", "Drama"),
        ("1", "categories", "Crime"),
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("'Musical Instruments'", ["Musical Instruments"]),
        ("\"Men's Shoes\", 'A\\'s'", ["Men's Shoes", "A's"]),
        ("'a\\xe9b', 'c\\nd'", ["aéb", "c\nd"]),
        ("['\\x', 'b']", ["\\x", "b"]),  # no escape that Python knows
        ("[]", []),
        ("set()", []),
        ("[1, 2]", ["1", "2"]),
        ("['nan', '', None]", ["nan", ""]),
        ("'Twas the night", None),
        ("'Twas 'nough'", None),
        ("Drama Crime", None),
        ("(500) Days", None),
        ("[Live] at Leeds", None),
    ],
)
def test_fault_case_06_what_a_list_holds_and_what_is_none(text, values):
    assert listed(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "['a', 'b",
        "'a', 'b",
        "{'a': 'b'}",
        "['a', __import__('os')]",
        "[" * 100_000 + "'a'",
        "['a' + 'b']",
    ],
)
def test_fault_case_06_a_broken_list_is_a_reject(load, text):
    item = CATEGORIES + f"0\tA\t{text}\n1\tB\tDrama\n"
    if text.startswith("[["):
        assert listed(text) == ["a"]  # brackets alone do no harm
        return
    with pytest.raises(ImportRefused, match="1 lists in categories that cannot be read"):
        load(item=item)
    edges, *_, settled = load(item=item, max_rejects=1)
    assert edges == [("1", "categories", "Drama")] and settled.rejected == 1


def test_fault_case_07_relations_are_their_last_part_and_bare_ids_are_said_once(load):
    kg = (
        KG + "m.0\tfilm.film.genre\tm.g0\nm.1\tfilm.film.genre\tm.g1\n"
        "m.1\tfilm.film.sequel_of\tm.0\n"
    )
    link = "item_id:token\tentity_id:token\n0\tm.0\n1\tm.1\n"
    edges, *_, settled = load(kg=kg, link=link)
    assert edges == [
        ("0", "class", "Drama"),
        ("0", "genre", "m.g0"),
        ("1", "class", "Crime"),
        ("1", "genre", "m.g1"),
        ("1", "sequel of", "Film 0"),  # a tail that is an item has its title
    ]
    assert (
        settled.understood["names"]
        == "2 entities of a.kg have none: their ids stand for them (first: m.g0)"
    )
    assert (
        settled.understood["relations"]
        == "film.film.genre read as genre, film.film.sequel_of read as sequel of"
    )


def test_fault_case_07_relations_that_end_alike_stay_apart(load):
    kg = KG + "m.0\tfilm.film.class\tAnn Arden\nm.0\ttv.tv.class\tBo Berg\n"
    edges, *_, settled = load(kg=kg, link="item_id:token\tentity_id:token\n0\tm.0\n")
    assert edges == [
        ("0", "class", "Drama"),
        ("0", "film class", "Ann Arden"),
        ("0", "tv class", "Bo Berg"),
        ("1", "class", "Crime"),
    ]
    assert "names" not in settled.understood


def test_fault_case_07_nan_is_no_value(load):
    item = (
        "item_id:token\ttitle:token_seq\tbrand:token\tclass:token_seq\n"
        "0\tnan\tnan\tDrama nan\n1\tB\tNone\t['nan', 'Nancy']\n"
    )
    user = "user_id:token\tage:token\tgender:token\nu\tnan\tF\n"
    kg = KG + "m.1\tfilm.film.genre\tnan\n"
    edges, _, items, settled = load(
        item=item, user=user, kg=kg, link="item_id:token\tentity_id:token\n1\tm.1\n"
    )
    assert edges == [("0", "class", "Drama"), ("1", "class", "Nancy")]
    assert items == [("0", "0"), ("1", "B")]
    assert settled.understood["titles"] == "1 items have none: their ids stand for them (first: 0)"
    assert settled.rejected == 0
