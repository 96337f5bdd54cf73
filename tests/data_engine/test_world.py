"""The invented world: its names and titles, and that they leave its structure alone."""

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.graphs.arrays import GraphArrays
from data_engine.graphs.mapped import MappedGraph
from data_engine.importers import world
from data_engine.importers.world import CREW, GENRES, LANGUAGES, WorldConfig, make_world
from data_engine.importers.world_names import first_names, invent_people, last_names
from data_engine.importers.world_titles import invent_titles
from data_engine.names.mentions import TitleFinder
from data_engine.names.titles import TitleResolver, split_year
from data_engine.responses.claims import ClaimChecker
from data_engine.responses.lexicon import grammar
from data_engine.store.database import Store

# words that readers know and that a title cannot do without: they mean nothing on their own
JOINING = frozenset("a an and as at by for from in my of on the to what who with".split())
MOST = GENRES * 2200  # more of each than the largest world has of any


@pytest.fixture(scope="module")
def made():
    """The default world."""
    return make_world(WorldConfig())


@pytest.fixture(scope="module")
def graph(made, tmp_path_factory):
    """The default world as readers of responses have it."""
    path = tmp_path_factory.mktemp("world") / "world.duckdb"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(made)
        return MappedGraph(GraphArrays.of(store))


def words(text):
    """In lower case, apostrophes as spaces."""
    return re.findall(r"[a-z]+", text.lower())


def within(text):
    """The text as words between spaces, so that whole words are found in it."""
    return f" {' '.join(words(text))} "


def test_the_same_seed_gives_the_same_words_in_every_process():
    code = (
        "from data_engine.importers.world import *\n"
        "made = make_world(WorldConfig(items=60, users=10, seed=7))\n"
        "print(made.items, made.attributes)"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    made = make_world(WorldConfig(items=60, users=10, seed=7))
    assert printed == {f"{made.items} {made.attributes}\n"}


def test_words_leave_the_structure_as_it_is(monkeypatch):
    """Another world of names has the same edges, years and ratings."""
    config = WorldConfig(items=200, users=40, seed=3)
    one = make_world(config)
    monkeypatch.setattr(world, "invent_people", lambda count, seed: [f"P{k}" for k in range(count)])
    monkeypatch.setattr(world, "invent_titles", lambda genres, seed, names: ["T"] * len(genres))
    other = make_world(config)
    names = dict(zip(other.attributes, one.attributes, strict=True))
    renamed = {old[0]: new[0] for old, new in names.items()}
    assert len(set(renamed.values())) == len(renamed)
    assert [(i, r, renamed[a], n) for i, r, a, n in other.edges] == one.edges
    assert other.interactions == one.interactions
    assert [split_year(t)[1] for _, t in other.items] == [split_year(t)[1] for _, t in one.items]


def test_a_few_are_credited_often_and_many_seldom(made):
    """The most famous tenth of each trade has 25 to 50 % of its credits, and Action, the first
    genre, more films than Western, the last.
    """
    for role in CREW:
        counts = sorted(Counter(e[2] for e in made.edges if e[1] == role).values(), reverse=True)
        assert 0.25 < sum(counts[: len(counts) // 10]) / sum(counts) < 0.5, role
    genres = Counter(e[2] for e in made.edges if e[1] == "genre")
    assert set(genres) == {f"genre/{genre}" for genre in GENRES}
    assert genres["genre/Action"] > 1.5 * genres["genre/Western"]
    assert {e[2] for e in made.edges if e[1] == "language"} == {f"language/{x}" for x in LANGUAGES}


def test_names_are_of_many_cultures_and_last_names_recur_seldom():
    assert sum(map(len, first_names().values())) >= 120 and len(last_names()) >= 1500
    assert not {n for names in first_names().values() for n in names} & set(last_names())
    for count, most in ((2165, 5), (29_000, 28)):
        people = invent_people(count, 1)
        lasts = Counter(name.split(" ")[1] for name in people)
        assert len(set(people)) == count and max(lasts.values()) <= most
        assert all(
            re.fullmatch(r"[A-Z][a-z]+(-[a-z]+)? [A-Z][a-z]+([A-Z][a-z]+)?", n) for n in people
        )
        assert len(lasts) > 0.5 * len(last_names())
    homes = Counter(last_names()[last] for last in lasts)
    assert set(homes) == set(first_names())


def test_the_largest_world_has_a_title_for_every_film():
    """No two alike, even without case and punctuation."""
    titles = invent_titles(MOST, 5, [])
    assert len({" ".join(words(title)) for title in titles}) == len(titles) == len(MOST)
    assert max(map(len, titles)) <= 60


@settings(max_examples=12)
@given(seed=st.integers(0, 2**40), items=st.integers(50, 250))
def test_no_title_is_inside_another_or_has_a_name_in_it(seed, items):
    """By search in every pair, as whole words."""
    made = make_world(WorldConfig(items=items, users=10, seed=seed))
    named = [split_year(title)[0] for _, title in made.items] + [
        name for _, name in made.attributes
    ]
    texts = [within(text) for text in named if not text.isdigit()]
    titles = texts[:items]
    assert [(a, b) for a in titles for b in texts if a is not b and (a in b or b in a)] == []
    for _, title in made.items:
        assert re.fullmatch(r"[A-Z][A-Za-z':-]*( [A-Za-z':-]+)* \(\d{4}\)", title), title
        long = [word for word in words(title) if len(word) > 3]
        assert len(set(long)) == len(long)


def test_the_genre_can_be_told_from_the_title():
    """Naive Bayes over the words of one seed's titles names the genre of four in five of
    another's; a guess would be right once in sixteen.
    """
    taught = invent_titles(GENRES * 150, 1, [])
    counts, totals = defaultdict(Counter), Counter()
    for genre, title in zip(GENRES * 150, taught, strict=True):
        counts[genre].update(words(title))
        totals[genre] += len(words(title))

    def likeliest(title):
        return max(
            GENRES,
            key=lambda g: sum(log((counts[g][w] + 0.1) / (totals[g] + 300)) for w in words(title)),
        )

    asked = invent_titles(GENRES * 30, 2, [])
    right = sum(likeliest(t) == g for g, t in zip(GENRES * 30, asked, strict=True))
    assert right > 0.8 * len(asked)


def test_a_title_has_no_word_that_responses_are_read_by():
    read = grammar()
    texts = [
        *read["relations"],
        *map(str, read["reading"].values()),
        *map(str, read["needs"].values()),
    ]
    texts += [*map(str, read["decisions"].values()), "yes no keep skip share shares same common"]
    genres = [g for name in GENRES + LANGUAGES for g in (name, f"{name}s", f"{name[:-1]}ies")]
    known = {word for text in texts + genres for word in words(text)} - JOINING
    assert {"not", "but", "keep", "starring", "dramas", "mysteries"} <= known
    used = {word for title in invent_titles(MOST, 9, []) for word in words(title)}
    assert used & known == {"s"} & known
    names = {w for n in (*last_names(), *sum(first_names().values(), ())) for w in words(n)}
    assert names & known == set()


def test_a_title_is_found_in_its_card_and_no_other_with_it(made):
    names, facts = dict(made.attributes), defaultdict(list)
    for item, relation, attribute, _ in made.edges:
        facts[item].append(f"{relation}: {names[attribute]}")
    finder = TitleFinder(dict(made.items))
    assert TitleResolver(dict(made.items)).unresolvable() == []
    for item, title in made.items:
        card = f"{title} – {'; '.join(facts[item])}"
        assert finder.find(card) == [(item, 0, len(title))]
        bare = split_year(title)[0]
        assert finder.find(f"{bare} {' '.join(facts[item])}") == [(item, 0, len(bare))]


def test_a_title_alone_states_nothing(made, graph):
    """Neither where it is known to be one nor where it is read as any text."""
    checker, finder = ClaimChecker(graph), TitleFinder(dict(made.items))
    item, _, value, _ = next(edge for edge in made.edges if edge[1] == "director")
    required = graph.requirements([("is", "director", value), ("is", "genre", "genre/Drama")])
    for _, title in made.items:
        for text in (title, split_year(title)[0], f"{split_year(title)[0]}."):
            assert checker.check(text, finder.find(text), required) == []
            assert checker.check(text, [], required) == []
    (name,) = (n for a, n in made.attributes if a == value)
    text = f"{dict(made.items)[item]} was directed by {name}."
    assert [c.verdict for c in checker.check(text, finder.find(text), required)] == ["supported"]
