"""What a message denies, rules out or refuses, and what it only tells or asks."""

import pytest

from tests.agents.assistant.test_understanding import ACTS, asked, conditions

pytestmark = pytest.mark.unit
MANN, SCOTT, PACINO = (
    ("not", "director", "mann"),
    ("is", "director", "scott"),
    ("not", "starring", "pacino"),
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "not directed by Michael Mann starring Sigourney Weaver",
            {MANN, ("is", "starring", "weaver")},
        ),
        ("sci-fi without Al Pacino by Ridley Scott", {("is", "genre", "scifi"), PACINO, SCOTT}),
        ("not starring Al Pacino before 1990", {PACINO, ("below", "year", "1990")}),
        ("not before 1982 by Ridley Scott", {("above", "year", "1981"), SCOTT}),
        ("not by Michael Mann or by Ridley Scott", {MANN, ("not", "director", "scott")}),
        ("nothing by Michael Mann or Ridley Scott", {MANN, ("not", "director", "scott")}),
        (
            "I don't want a horror film or a comedy",
            {("not", "genre", "horror"), ("not", "genre", "comedy")},
        ),
    ],
)
def test_a_denial_ends_where_another_condition_begins(text, wanted):
    assert conditions(asked(text)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "like Heat but not directed by Michael Mann",
        "like Heat, but without Michael Mann",
        "like Heat, not by Michael Mann",
        "something like Heat, not by Michael Mann",
        "something similar to Heat that isn't by Michael Mann",
        "I like Heat. Films that aren't by Michael Mann",
        "films like Heat, not by Michael Mann",
    ],
)
def test_what_is_not_wanted_is_not_told_of_the_title_before_it(text):
    request = asked(text)
    assert conditions(request) == {MANN} and request.anchors == ("heat",)
    assert request.premises == ()


def test_a_denial_of_a_title_is_still_held_against_the_graph():
    (premise,) = asked("I know Heat, but it was not directed by Michael Mann").premises
    assert premise.verdict == "false" and not premise.holds


def test_titles_listed_after_one_that_is_ruled_out_are_ruled_out():
    request = asked("sci-fi by Ridley Scott, not Alien or Blade Runner")
    assert request.exclusions == ("alien", "blade")
    assert request.anchors == () and request.premises == ()


@pytest.mark.parametrize(
    "text",
    [
        "I don't want Alien or Blade Runner",
        "don't recommend me Alien",
        "I need no Alien",
        "I don't want to watch Alien",
        "don't show me films like Alien",
        "crime except for Alien",
    ],
)
def test_a_title_that_is_not_wanted_is_left_out_and_not_liked(text):
    request = asked(text)
    assert request.anchors == () and "alien" in request.exclusions


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("a film that Ridley Scott didn't direct", ("not", "director", "scott")),
        ("films that Al Pacino isn't in", ("not", "starring", "pacino")),
        ("something Ridley Scott did not direct", ("not", "director", "scott")),
    ],
)
def test_a_name_is_denied_by_the_verb_after_it(text, denied):
    assert conditions(asked(text)) == {denied}


def test_what_is_said_of_a_name_is_no_denial():
    assert conditions(asked("Al Pacino is not bad")) == {ACTS}


def test_what_a_liked_title_is_not_is_told():
    (premise,) = asked("I liked Heat, which Michael Mann didn't direct").premises
    assert (premise.value, premise.verdict) == ("mann", "false")


def test_a_denial_that_opens_a_sentence_is_understood():
    request = asked("Don't recommend horror")
    assert conditions(request) == {("not", "genre", "horror")} and not request.not_understood


def test_a_question_with_not_denies_nothing():
    (premise,) = asked("Isn't Heat by Ridley Scott?").premises
    assert (premise.item, premise.value, premise.verdict) == ("heat", "scott", "false")
