import pytest

from agents.assistant.request import Request
from agents.assistant.understanding.understand import Understanding
from tests.agents.assistant.small import GRAPH

pytestmark = pytest.mark.unit
UNDERSTANDING = Understanding(GRAPH)


def talk(*texts):
    """The state after messages of a person; those that begin with ">" are the assistant's."""
    state, act = Request(), ""
    for text in texts:
        if text.startswith(">"):
            state = UNDERSTANDING.heard(text[1:], state)
        else:
            understood = UNDERSTANDING.understand(text, state)
            state, act = understood.request, understood.act
    return state, act


def conditions(*texts):
    return [(c.op, c.relation, c.value) for c in talk(*texts)[0].conditions]


def test_wishes_gather_and_are_taken_back():
    first = "a sci-fi movie directed by Ridley Scott"
    assert conditions(first, "it should also star Harrison Ford")[-1] == ("is", "starring", "ford")
    left = [("is", "genre", "scifi")]
    assert conditions(first, "actually it needn't be directed by Ridley Scott") == left
    assert conditions(first, "forget the director") == left
    assert conditions(first, "it doesn't really have to be directed by Scott") == left
    assert conditions(first, "never mind Ridley Scott") == left


def test_a_value_is_taken_back_in_the_relation_that_is_said():
    first = "a film starring Clint Eastwood and directed by Clint Eastwood"
    left = [("is", "starring", "eastwood")]
    assert conditions(first, "it doesn't have to be directed by Clint Eastwood") == left


def test_another_director_is_none_of_those_of_what_is_liked():
    assert conditions("something like Alien, but by another director") == [
        ("not", "director", "scott")
    ]


def test_a_wish_turned_round_replaces_the_first():
    assert conditions("a comedy", "no comedies, please") == [("not", "genre", "comedy")]
    assert conditions("before 1990", "before 1985") == [("below", "year", "1985")]


@pytest.mark.parametrize(
    "text", ["not that one", "I've seen it", "seen it", "I already saw that? not that one"]
)
def test_what_was_shown_is_ruled_out(text):
    state, _ = talk("a sci-fi movie", "> How about Alien?", text)
    assert state.exclusions == ("alien",) and state.conditions[0].value == "scifi"


def test_one_of_several_and_a_title_are_ruled_out():
    shown = "> 1. Alien (1979) 2. Blade Runner (1982)"
    assert talk("sci-fi", shown, "I've seen it, the second one")[0].exclusions == ("blade",)
    assert talk("sci-fi", shown, "not Alien please")[0].exclusions == ("alien",)


def test_a_correction_rules_out_and_keeps_the_wish():
    texts = ("a sci-fi film", "directed by Ridley Scott", "> What about Aliens?")
    state, _ = talk(*texts, "no, Aliens isn't directed by Ridley Scott. another one?")
    assert state.exclusions == ("aliens",) and not state.anchors
    assert [c.value for c in state.conditions] == ["scifi", "scott"]


@pytest.mark.parametrize(
    ("text", "act"),
    [("more", "more"), ("anything else?", "more"), ("why?", "why"), ("who directed it?", "who")],
)
def test_acts_leave_the_conditions(text, act):
    state, found = talk("a sci-fi movie", "> How about Alien?", text)
    assert found == act and [c.value for c in state.conditions] == ["scifi"]
    assert not state.not_understood


def test_the_same_is_of_what_was_named_before():
    state, _ = talk("I liked Alien", "another one by the same director")
    assert [c.value for c in state.conditions] == ["scott"]


@pytest.mark.parametrize(
    "text",
    [
        "no, Michael Mann",
        "Michael Mann instead",
        "no wait, by Michael Mann",
        "sorry, I meant Michael Mann",
        "actually, by Michael Mann",
    ],
)
def test_a_correction_takes_the_place_of_what_was_asked(text):
    left = [("is", "genre", "scifi"), ("is", "director", "mann")]
    assert conditions("a sci-fi film by Ridley Scott", text) == left


def test_what_is_added_or_denied_takes_no_place():
    first, comedy = ("is", "genre", "scifi"), ("is", "genre", "comedy")
    assert conditions("a sci-fi film", "actually, also a comedy") == [first, comedy]
    assert conditions("a sci-fi film", "no comedies") == [first, ("not", "genre", "comedy")]


@pytest.mark.parametrize(
    "text", ["the one from 1995", "The Thing (1995)", "the second one", "1995"]
)
def test_a_doubt_about_a_title_is_settled_in_words(text):
    state, _ = talk("I liked The Thing", text)
    assert state.anchors == ("thing2",) and not state.doubts and not state.wishes
    state, _ = talk("I like Heat. No The Thing", text)
    assert state.anchors == ("heat",)
    assert state.exclusions == ("thing2",) and not state.doubts


def test_a_question_about_it_asks_for_nothing():
    state, act = talk("a sci-fi movie", "> How about Alien?", "was it directed by Michael Mann?")
    assert act == "who" and len(state.wishes) == 1
    (premise,) = state.premises
    assert (premise.item, premise.value, premise.verdict) == ("alien", "mann", "false")
    assert conditions("a sci-fi movie", "> How about Alien?", "is it from before 1990?")[1:]


def test_a_correction_that_denies_leaves_what_was_wanted():
    left = [("is", "genre", "scifi"), ("not", "director", "cameron")]
    assert conditions("a sci-fi film", "no, not by James Cameron") == left
    both = "films directed by and starring Clint Eastwood"
    assert conditions(both, "forget Clint Eastwood") == []


def test_bounds_that_leave_nothing_of_a_choice_take_its_place():
    eighties = [("above", "year", "1979"), ("below", "year", "1990")]
    assert conditions("from the 70s or the 90s", "from the 80s") == eighties
    assert conditions("not from the 80s", "from the 80s") == eighties
    assert len(conditions("not from the 80s", "before 1995")) == 2
    assert conditions("not the 80s, the 90s")[1:] == [
        ("above", "year", "1989"),
        ("below", "year", "2000"),
    ]


def test_a_title_named_after_one_that_was_liked_takes_its_place():
    state, _ = talk("something like Heat", "not Heat, Alien")
    assert (state.anchors, state.exclusions) == (("alien",), ("heat",))
    state, _ = talk("something like Heat", "was it directed by Ridley Scott?")
    assert [(one.item, one.verdict) for one in state.premises] == [("heat", "false")]
