"""The title resolver against the known faults of the published matcher (METHOD §3), on real titles where they are at hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.titles import TitleResolver, fold, split_year
from tests.conftest import SHARED

TITLES = {
    "1": "Cast Away (2000)",
    "2": "Friday the 13th Part 2 (1981)",
    "3": "Friday the 13th Part 3: 3D (1982)",
    "4": "Matrix, The (1999)",
    "5": "Life Is Beautiful (La Vita è bella) (1997)",
    "6": "Psycho (1960)",
    "7": "Psycho (1998)",
    "8": "Godfather: Part II, The (1974)",
    "9": "Godfather, The (1972)",
    "10": "It (1990)",
    "11": "Heat (1995)",
}
RESOLVER = TitleResolver(TITLES)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("Cast Away", "1"),
        ("cast away (2000)", "1"),
        ("Friday the 13th Part 2", "2"),
        ("Friday the 13th Part II", "2"),
        ("The Matrix", "4"),
        ("The Matrix (1999)", "4"),
        ("matrix, the", "4"),
        ("Life is beautiful", "5"),
        ("La vita e bella (1997)", "5"),
        ("Psycho (1998)", "7"),
        ("The Godfather Part 2", "8"),
        ("Godfather", None),
        ("Heat (1996)", None),
        ("Friday the 13th Part 4", None),
        ("Matrix Reloaded", None),
    ],
)
def test_a_title_means_one_item_or_none(text, item):
    found = RESOLVER.resolve(text)
    assert found.items == ((item,) if item else ())


def test_homonyms_are_ambiguous_until_the_candidates_settle_it():
    assert RESOLVER.resolve("Psycho").status == "ambiguous"
    assert RESOLVER.resolve("Psycho").items == ("6", "7")
    assert RESOLVER.resolve("Psycho", frozenset({"7", "1"})).items == ("7",)


def test_mentions_take_the_longest_name_and_leave_prose_alone():
    text = "It is like The Godfather Part II, not The Godfather (1972); the heat of it is in Heat (1995)."
    found = RESOLVER.mentions(text, frozenset({"8", "9", "11"}))
    assert [(m.item, text[m.start : m.end]) for m in found] == [("8", "The Godfather Part II"), ("9", "The Godfather (1972)"), ("11", "Heat (1995)")]


@given(st.text(max_size=60))
def test_any_text_resolves_without_error_and_folding_is_stable(text):
    assert fold(fold(text)) == fold(text)
    assert RESOLVER.resolve(text).status in {"ok", "ambiguous", "unknown"}
    assert all(text[m.start : m.end] for m in RESOLVER.mentions(text, frozenset(TITLES)))


def test_every_movielens_title_resolves_to_itself_with_and_without_its_year():
    path = SHARED / "ml-1m/movies.dat"
    if not path.is_file():
        pytest.skip("ml-1m is not here")
    titles = dict(line.split("::")[:2] for line in path.read_text(encoding="latin-1").splitlines())
    resolver = TitleResolver(titles)
    assert len(titles) == 3883
    for item, title in titles.items():
        assert item in resolver.resolve(title).items
        bare = resolver.resolve(split_year(title)[0])
        assert item in bare.items, title
        assert bare.status == "ok" or len(bare.items) > 1
    assert sum(resolver.resolve(t).items == (i,) for i, t in titles.items()) == len(titles)
