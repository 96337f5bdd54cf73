"""One person, one name: cleaned text, relations, disambiguations."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.names.cleaning import (
    MOST_ESCAPES,
    clean_text,
    readable_relation,
    relation_names,
    surface_names,
    without_disambiguation,
)

ENTITIES = ["&amp;", "&#39;", "&", "amp;", "#38;", "lt;"]


SPACES = [" ", "\n", "\t", "\u00a0", "\u2009", "\u200b", "\ufeff", "\x00", "\x1f", "\u202e"]


PIECES = st.sampled_from([*ENTITIES, *SPACES, "e", "\u0301", "é"])


ODD = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)


@pytest.mark.parametrize(
    "spelled",
    [
        "Penélope Example",
        unicodedata.normalize("NFD", "Penélope Example"),
        "Penélope\u00a0Example",
        " Penélope \t\n Example\u200b ",
        "\ufeffPenélope\u2009Example",
        "Pen&eacute;lope Example",
        "Pen&#233;lope&nbsp;Example",
        "Pen&amp;eacute;lope Exa\u00admple",
    ],
)
def test_fault_case_13_one_person_however_encoded_is_one_text(spelled):
    assert clean_text(spelled) == "Penélope Example"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Tom &amp; Jerry&#39;s Day (1999)", "Tom & Jerry's Day (1999)"),
        ('A "Quoted"\nTitle, The (2000)', 'A "Quoted" Title, The (2000)'),
        (
            "Rock&reggae &notit; &copy 5",
            "Rock&reggae &notit; &copy 5",
        ),  # no entities: no semicolon, or no such name
        ("a\x00b\x07c", "abc"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("  AT&T  ", "AT&T"),
        ("\u200b\u00a0", ""),
    ],
)
def test_fault_case_13_text_is_cleaned(raw, clean):
    assert clean_text(raw) == clean


@given(ODD)
def test_fault_case_13_cleaning_twice_changes_nothing_more(text):
    once = clean_text(text)
    assert clean_text(once) == once == once.strip() and unicodedata.is_normalized("NFC", once)
    assert not any(c.isspace() and c != " " for c in once) and "  " not in once


def test_fault_case_13_an_entity_escaped_without_end_is_left_as_it_is():
    deep = "&" + "amp;" * (MOST_ESCAPES + 1) + "  x"
    assert clean_text(deep) == deep.replace("  ", " ") == clean_text(clean_text(deep))
    assert clean_text("&" + "amp;" * 3 + "lt;") == "<"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("literaryGenre", "literary genre"),
        ("mediaType", "media type"),
        ("directed_by", "directed by"),
        ("Directed_by", "directed by"),
        ("ACTED_IN", "acted in"),
        ("DIRECTED", "directed"),
        ("film.film.genre", "genre"),
        ("film.film.directed_by", "directed by"),
        ("/film/film/genre", "genre"),
        ("http://dbpedia.org/ontology/director", "director"),
        ("http://schema.org#productionCompany", "production company"),
        ("http://x.example/first%20published/", "first published"),
        ("dbo:musicComposer", "music composer"),
        ("isbnNumber", "isbn number"),
        ("ISBNNumber", "ISBN number"),
        ("IMDbRating", "IMDb rating"),
        ("numberOfDVDs", "number of DVDs"),
        ("isTVShow", "is TV show"),
        ("ISBN", "ISBN"),
        ("director", "director"),
        ("Director", "Director"),
        ("directed by", "directed by"),
        ("co-director", "co-director"),
        ("número_de_páginas", "número de páginas"),
        ("P57", "P57"),
        ("añoDeEstreno", "año de estreno"),
        ("v1.2", "v1.2"),
        ("___", "___"),
        ("http://", "http://"),
    ],
)
def test_fault_case_13_a_relation_is_words(raw, words):
    assert readable_relation(raw) == words


@given(ODD | st.text(alphabet="aBéÉ._:/#1 %", max_size=12))
def test_fault_case_13_readable_relations_never_become_empty(raw):
    assert bool(readable_relation(raw)) == bool(clean_text(raw))


def test_fault_case_07_relations_that_differ_before_their_last_part_stay_apart():
    assert relation_names(["film.film.genre", "film.film.directed_by", "year"]) == {
        "film.film.genre": "genre",
        "film.film.directed_by": "directed by",
        "year": "year",
    }
    assert relation_names(["film.film.genre", "tv.tv.genre"]) == {
        "film.film.genre": "film genre",
        "tv.tv.genre": "tv genre",
    }
    assert relation_names(["film.actor.film", "film.director.film"]) == {
        "film.actor.film": "actor film",
        "film.director.film": "director film",
    }
    assert relation_names(["genre", "film.genre"]) == {"genre": "genre", "film.genre": "film genre"}
    assert relation_names(["a.genre", "b.a.genre"]) == {
        "a.genre": "a genre",
        "b.a.genre": "b a genre",
    }
    assert (
        relation_names(["film_genre", "film.genre", "genre", "film genre"])["film.genre"]
        == "film.genre"
    )


@given(st.lists(st.text(alphabet="ab._", min_size=1, max_size=8)))
def test_fault_case_07_no_two_relations_get_one_name(raws):
    names = relation_names(raws)
    assert (
        set(names) == set(raws) and len(set(names.values())) == len(names) and all(names.values())
    )


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Stephen Baxter (author)", "Stephen Baxter"),
        ("Mercury (planet)", "Mercury"),
        ("Alien (film)", "Alien"),
        ("Ghost (1990 film)", "Ghost"),
        ("John Smith (born 1957)", "John Smith"),
        ("John Smith (footballer, born 1957)", "John Smith"),
        ("John Smith (American actor)", "John Smith"),
        ("Lost (TV series)", "Lost"),
        ("Sting (singer/songwriter)", "Sting"),
        ("Dune (science fiction novel)", "Dune"),
    ],
)
def test_fault_case_13_a_disambiguation_is_dropped(name, short):
    assert without_disambiguation(name) == short


@pytest.mark.parametrize(
    "name",
    [
        "Sunday (Live)",
        "Sunday (live)",
        "Sunday (extended version)",
        "Sunday (and friends)",
        "Sunday (feat. someone)",
        "Heat (1995)",
        "Psycho (II)",
        "Sunday (Taylor's Version)",
        "(author)",
        "(500) Days",
        "!!! (band)",  # nothing that can be found in a text would be left
        "Life Is Beautiful (La vita è bella)",
        "Seven (a.k.a. Se7en)",
        "Sunday ()",
        "Sunday (",
        "",
    ],
)
def test_fault_case_13_a_bracket_of_the_name_stays(name):
    assert without_disambiguation(name) == name


@given(
    ODD
    | st.builds(
        "{} ({})".format,
        st.text(max_size=5),
        st.sampled_from(["author", "film", "x y", "1990 film"]),
    )
)
def test_fault_case_13_a_name_never_becomes_empty(name):
    assert bool(without_disambiguation(name).strip()) == bool(name.strip())


def test_fault_case_13_the_bracket_stays_where_it_tells_two_ids_apart():
    found = surface_names(
        [
            (1, "Mercury (planet)"),
            (2, "Mercury (element)"),
            (3, "Stephen Baxter (author)"),
            (4, "Ann&nbsp;Example"),
            (5, "Sting (singer)"),
            (6, "STING"),
            (7, "\u200b"),
        ]
    )
    assert found == {
        1: "Mercury (planet)",
        2: "Mercury (element)",
        3: "Stephen Baxter",
        4: "Ann Example",
        5: "Sting (singer)",
        6: "STING",
        7: "\u200b",
    }


@given(
    st.lists(
        st.sampled_from(["Mercury", "Mercury (planet)", "mercury (element)", "Ann (author)", "Ann"])
    )
)
def test_fault_case_13_different_names_never_become_alike(names):
    found = surface_names(enumerate(names))
    assert len(set(found.values())) == len(set(names))
