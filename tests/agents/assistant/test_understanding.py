import pytest

from agents.assistant.request import Request
from agents.assistant.understanding.understand import Understanding
from tests.agents.assistant.small import GRAPH

pytestmark = pytest.mark.unit
UNDERSTANDING = Understanding(GRAPH)


def asked(text, state=None):
    return UNDERSTANDING.understand(text, state).request


def conditions(request):
    return {(c.op, c.relation, c.value) for c in request.conditions}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("something directed by Michael Mann", {("is", "director", "mann")}),
        ("a film by Clint Eastwood", {("is", "director", "eastwood")}),
        ("a film with Clint Eastwood", {("is", "starring", "eastwood")}),
        ("I'd love a movie that Clint Eastwood stars in", {("is", "starring", "eastwood")}),
        ("Sigourney Weaver's performances are great", {("is", "starring", "weaver")}),
        ("sci-fi with sigourney weaver", {("is", "genre", "scifi"), ("is", "starring", "weaver")}),
        (
            "comedies, nothing starring Al Pacino",
            {("is", "genre", "comedy"), ("not", "starring", "pacino")},
        ),
        (
            "a comedy that isn't directed by Michael Mann and stars Al Pacino",
            {("is", "genre", "comedy"), ("not", "director", "mann"), ("is", "starring", "pacino")},
        ),
        ("funny films from before 1990", {("is", "genre", "comedy"), ("below", "year", "1990")}),
        (
            "science fiction from the 80s",
            {("is", "genre", "scifi"), ("above", "year", "1979"), ("below", "year", "1990")},
        ),
        ("a film made in 1982", {("is", "year", "1982")}),
        (
            "films directed by and starring Clint Eastwood",
            {("is", "director", "eastwood"), ("is", "starring", "eastwood")},
        ),
        ("a film without Clint Eastwood", {("not", "starring", "eastwood")}),
        ("a movie dirceted by Ridley Scott", {("is", "director", "scott")}),
        ("something newer than Alien", {("above", "year", "1979")}),
        (
            "no horror and no comedies please",
            {("not", "genre", "horror"), ("not", "genre", "comedy")},
        ),
    ],
)
def test_conditions_are_read_from_the_words_beside_a_name(text, wanted):
    assert conditions(asked(text)) == wanted


def test_the_graph_decides_where_no_word_does():
    (wish,) = asked("I'm in the mood for Ridley Scott").wishes
    assert (wish.condition.relation, wish.alternatives) == ("director", ())
    (wish,) = asked("I'm in the mood for Clint Eastwood").wishes
    assert wish.condition.relation == "starring"  # two films, against one that he directed
    assert [c.relation for c in wish.alternatives] == ["director"]


def test_homonyms_are_kept_and_a_word_tells_them_apart():
    (wish,) = asked("anything with John Williams?").wishes
    assert wish.condition.value == "jw2"  # only he is an actor
    (wish,) = asked("music by John Williams").wishes
    assert wish.condition.value == "jw1" and not wish.alternatives
    (wish,) = asked("I love John Williams").wishes
    assert {wish.condition.value, *(c.value for c in wish.alternatives)} == {"jw1", "jw2"}


def test_a_title_of_two_items_is_doubted_unless_the_year_tells():
    assert asked("something like The Thing").doubts[0].items == ("thing", "thing2")
    dated = asked("something like The Thing (1995)")
    assert dated.anchors == ("thing2",) and not dated.doubts


@pytest.mark.parametrize(
    ("text", "value", "since"),
    [
        ("a film by the same director as Alien", "scott", ("alien",)),
        ("I liked Alien and Aliens. More with the same actor?", "weaver", ("alien", "aliens")),
        ("who directed Heat? find another film directed by the same person", "mann", ("heat",)),
        (
            "I saw the sci-fi movie starring Harrison Ford. Another by the same director?",
            "scott",
            ("blade",),
        ),
    ],
)
def test_a_shared_value_is_found_in_the_graph(text, value, since):
    request = asked(text)
    assert [(w.condition.value, w.since) for w in request.wishes if w.since] == [(value, since)]
    assert request.anchors == since and not request.shared


def test_what_the_anchors_do_not_settle_waits():
    (shared,) = asked("a film with the same actor as Heat and Alien").shared
    assert (shared.relation, shared.anchors, shared.values) == ("starring", ("heat", "alien"), ())
    (shared,) = asked("a film with the same actor as Aliens").shared
    assert shared.values == ("weaver", "jw2")


@pytest.mark.parametrize(
    ("text", "verdict", "truth"),
    [
        ("James Cameron directed Alien, right?", "false", ("scott",)),
        ("I watched Alien and loved Ridley Scott's directing.", "true", ("scott",)),
        ("I watched Help! and loved Al Pacino's performance.", "unknown", ()),
        ("I loved James Cameron's direction in Alien", "false", ("scott",)),
    ],
)
def test_a_statement_is_held_against_the_graph(text, verdict, truth):
    (premise,) = asked(text).premises
    assert (premise.verdict, premise.truth) == (verdict, truth)


def test_the_true_value_of_a_false_premise_is_wanted_where_the_same_is():
    request = asked("I loved James Cameron's direction in Alien. Another by the same director?")
    assert conditions(request) == {("is", "director", "scott")}
    assert [p.verdict for p in request.premises] == ["false"]


def test_a_last_name_is_the_person_named_before():
    request = asked("I'm a fan of Clint Eastwood as a director, so find me one by Eastwood")
    assert conditions(request) == {("is", "director", "eastwood")}


def test_what_was_not_understood_is_said():
    request = asked("a brooding film directed by Zelda Quux with Al Pacino, like Frobnicate")
    assert [(s.text, s.relation) for s in request.not_understood] == [
        ("brooding", ""),
        ("Zelda Quux", "director"),
        ("Frobnicate", "director"),
    ]
    assert conditions(request) == {("is", "starring", "pacino")}


def test_an_empty_text_and_odd_characters_ask_for_nothing():
    for text in ("", "   ", "???", "\n\n", "🙂", "é" * 500, "((((", "the the the"):
        assert asked(text).conditions == ()
    assert asked("Heat").anchors == ("heat",)
    assert Request().conditions == ()


def test_a_name_that_the_catalogue_lacks_is_a_false_premise_where_the_truth_is_known():
    (premise,) = asked("I watched Alien and loved Zelda Quux's directing.").premises
    assert (premise.name, premise.value, premise.verdict) == ("Zelda Quux", "", "false")
    assert premise.truth == ("scott",)


ACTS = ("is", "starring", "pacino")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("an Eastwood film", {("is", "starring", "eastwood")}),
        ("nothing older than 1990", {("above", "year", "1989")}),
        ("I hate horror, something funny", {("not", "genre", "horror"), ("is", "genre", "comedy")}),
        ("films from the eighties", {("above", "year", "1979"), ("below", "year", "1990")}),
        ("between 1980 and 1990", {("above", "year", "1979"), ("below", "year", "1991")}),
        ("from 1980 to 1985", {("above", "year", "1979"), ("below", "year", "1986")}),
        ("films 1980-1985", {("above", "year", "1979"), ("below", "year", "1986")}),
        ("films since 1982", {("above", "year", "1981")}),
        ("no later than 1982", {("below", "year", "1983")}),
        ("1982 at the latest", {("below", "year", "1983")}),
        ("in or after 1982", {("above", "year", "1981")}),
        (">= 1982", {("above", "year", "1981")}),
        ("from 1982 to today", {("above", "year", "1981")}),
        ("around 1982", {("above", "year", "1979"), ("below", "year", "1985")}),
        ("films (1980-85)", {("above", "year", "1979"), ("below", "year", "1986")}),
        ("from 1990 to 1980", {("above", "year", "1979"), ("below", "year", "1991")}),
        ("mid to late 80s", {("above", "year", "1982"), ("below", "year", "1990")}),
        ("the end of the 80s", {("above", "year", "1985"), ("below", "year", "1990")}),
        ("I liked Alien but want something newer", {("above", "year", "1979")}),
        ("Can't you find me something with Al Pacino?", {ACTS}),
        ("no horror, just comedies", {("not", "genre", "horror"), ("is", "genre", "comedy")}),
        ("nothing before 1990, comedies", {("above", "year", "1989"), ("is", "genre", "comedy")}),
        ("by anyone but Ridley Scott", {("not", "director", "scott")}),
        ("Al Pacino should not be in it", {("not", "starring", "pacino")}),
        ("1982 or later", {("above", "year", "1981")}),
        ("films from 1982, or older, with Al Pacino", {("below", "year", "1983"), ACTS}),
        ("comedies, 1982+", {("above", "year", "1981"), ("is", "genre", "comedy")}),
        ("a film from 1982 on", {("above", "year", "1981")}),
        ("from 1982 on a boat", {("is", "year", "1982")}),
        ("not from 1982 or later", {("below", "year", "1982")}),
        ("from 1979 up to 1990", {("above", "year", "1978"), ("below", "year", "1991")}),
        ("before the 90s", {("below", "year", "1990")}),
        ("newer than the 80s", {("above", "year", "1989")}),
        ("since the eighties", {("above", "year", "1979")}),
        ("not older than the 80s", {("above", "year", "1979")}),
        ("from the 80s or before", {("below", "year", "1990")}),
        ("the 80s onwards", {("above", "year", "1979")}),
        ("from the 70s to the 90s", {("above", "year", "1969"), ("below", "year", "2000")}),
        ("between the 70s and the 90s", {("above", "year", "1969"), ("below", "year", "2000")}),
        ("from the early 80s", {("above", "year", "1979"), ("below", "year", "1984")}),
        ("mid-90s", {("above", "year", "1992"), ("below", "year", "1997")}),
        ("before the late 80s", {("below", "year", "1986")}),
        ("late 70s to early 80s", {("above", "year", "1975"), ("below", "year", "1984")}),
        ("the late Al Pacino", {ACTS}),
        ("like Alien but older", {("below", "year", "1979")}),
        ("like Alien, but newer", {("above", "year", "1979")}),
        ("70s-80s", {("above", "year", "1969"), ("below", "year", "1990")}),
        ("Michael Mann wrote the music for something", {("is", "director", "mann")}),
    ],
)
def test_other_ways_to_say_it(text, wanted):
    assert conditions(asked(text)) == wanted


def test_a_title_of_a_plain_word_with_a_mark():
    assert asked("something like Help! (1979)").anchors == ("help",)
    assert asked("I liked Help! More like that?").anchors == ("help",)
    assert asked("it should help me").anchors == ()


def choices(request):
    """Per wish its conditions, of which one will do."""
    every = ((wish.condition, *wish.any_of) for wish in request.wishes)
    return [[(c.op, c.name) for c in one] for one in every]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("films from 1982 or 1995", [[("is", "1982"), ("is", "1995")]]),
        ("from before 1980 or after 1990", [[("below", "1980"), ("above", "1990")]]),
        ("from before the 70s or after the 90s", [[("below", "1970"), ("above", "1999")]]),
        ("1982 or before 1970", [[("is", "1982"), ("below", "1970")]]),
        ("1982 or newer than Alien", [[("is", "1982"), ("above", "1979")]]),
        ("not from the 80s", [[("below", "1980"), ("above", "1989")]]),
        ("the 70s and 80s", [[("above", "1969")], [("below", "1990")]]),
        (
            "the 70s or the 90s",
            [[("above", "1969")], [("below", "2000")], [("below", "1980"), ("above", "1989")]],
        ),
    ],
)
def test_one_of_several_years_will_do(text, wanted):
    assert choices(asked(text)) == wanted


@pytest.mark.parametrize(
    "text", ["not directed by or starring Clint Eastwood", "neither by nor with Clint Eastwood"]
)
def test_a_name_may_be_denied_in_two_relations(text):
    both = {("not", "director", "eastwood"), ("not", "starring", "eastwood")}
    assert conditions(asked(text)) == both


@pytest.mark.parametrize(
    "text", ["a film by or starring Clint Eastwood", "starring or by Eastwood"]
)
def test_a_name_may_be_wanted_in_either_of_two_relations(text):
    (wish,) = asked(text).wishes
    readings = {(one.relation, one.value) for one in wish.readings}
    assert readings == {("director", "eastwood"), ("starring", "eastwood")}


def test_a_year_of_which_a_story_goes_on_is_no_bound():
    request = asked("Blade Runner came out in 1982 and after that I saw Alien")
    assert ("above", "year", "1981") not in conditions(request)


def test_what_is_shared_may_be_said_without_same():
    (wish,) = asked("a film by the director of Alien and Blade Runner").wishes
    assert wish.condition.value == "scott" and wish.since == ("alien", "blade")
    before = asked("I love Alien and Blade Runner")
    (wish,) = asked("films by the director of those", before).wishes
    assert wish.condition.value == "scott"
    assert UNDERSTANDING.understand("who is the director of Alien?").act == "who"
