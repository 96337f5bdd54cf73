"""What is said of a policy's text: notes, strange titles, marks; over the small catalogue."""

import pytest

from agents.assistant.answer import JudgedClaim, Mark
from agents.assistant.judging import Judge, marks
from agents.assistant.request import Request, Wish
from agents.assistant.understanding.understand import Understanding
from agents.assistant.wording import Wording
from data_engine.schema import Condition
from tests.agents.assistant.small import GRAPH

pytestmark = pytest.mark.unit
NEAR = ("alien", "blade", "thing")
SCOTT = Wish(condition=Condition(relation="director", value="scott", name="Ridley Scott"))
SCIFI = Wish(condition=Condition(relation="genre", value="scifi", name="Sci-Fi"))
ASKED = Request(wishes=(SCIFI, SCOTT))


@pytest.fixture(scope="module")
def judge():
    return Judge(GRAPH, Wording(GRAPH, "films"), Understanding(GRAPH).titled)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Alien (1979) director James Cameron", "Alien was directed by Ridley Scott."),
        ("Need genre Horror.", "Horror was not asked for."),
        ("Need genre Sci-Fi.", "It leaves out what was asked for: directed by Ridley Scott."),
        ("Alien (1979) Sci-Fi no skip", "Sci-fi is what was asked for."),
        ("The Thing (1982) Horror yes keep", "Horror is not what was asked for."),
        ("Alien (1979) Sci-Fi yes skip", "Alien (1979) meets all that was asked for."),
        (
            "The Thing (1982) Horror no keep",
            "The Thing (1982) misses something that was asked for.",
        ),
        ("Alien is a horror film, so it is out.", "Alien (1979) meets all that was asked for."),
    ],
)
def test_what_is_wrong_is_said(judge, text, note):
    assert note in [claim.note for claim in judge.claims(text, ASKED, NEAR)]


def test_a_name_that_may_mean_two_things_is_no_ground_to_contradict_a_decision(judge):
    two = Wish(
        condition=Condition(relation="composer", value="jw1", name="John Williams"),
        alternatives=(Condition(relation="starring", value="jw2", name="John Williams"),),
    )
    claims = judge.claims("Alien (1979) Sci-Fi yes skip", Request(wishes=(two,)), NEAR)
    assert [(claim.kind, claim.verdict) for claim in claims] == [("fact", "good")]


def test_one_of_two_values_will_do(judge):
    either = SCOTT.or_else(
        Wish(condition=Condition(relation="director", value="mann", name="Michael Mann"))
    )
    claims = judge.claims("Alien (1979) Ridley Scott yes keep", Request(wishes=(either,)), NEAR)
    assert {claim.verdict for claim in claims} == {"good"}


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Thing, The (1982) and The Thing (1982) and Alien", []),
        ("Thing, The (1995) then", [("Thing, The (1995)", "outside")]),
        ("Alien (1999) is better", [("Alien (1999)", "invented")]),
        ("See Heat (1995).", [("Heat (1995)", "outside")]),
        ("It came out in May (1999).", [("May (1999)", "invented")]),
        ("it came out (1999).", []),
        ("<answer>\n1. Alien\n- Nosferatu\n</answer>", [("Nosferatu", "invented")]),
        ("<answer>Heat</answer>", [("Heat", "outside")]),
    ],
)
def test_titles_that_were_not_given(judge, text, titles):
    assert [(one.text, one.verdict) for one in judge.titles(text, NEAR)] == titles


def test_marks_never_overlap_and_the_worst_wins():
    def claim(start, end, verdict):
        return JudgedClaim(start=start, end=end, text="", kind="fact", verdict=verdict)

    found = marks([claim(0, 4, "good"), claim(2, 3, "bad"), claim(6, 8, "unknown")], [], 9)
    assert found == (
        Mark(start=0, end=2, verdict="good"),
        Mark(start=2, end=3, verdict="bad"),
        Mark(start=3, end=4, verdict="good"),
        Mark(start=6, end=8, verdict="unknown"),
    )
