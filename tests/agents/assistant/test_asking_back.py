import pytest

from agents.assistant.understanding.asking_back import questions
from agents.assistant.understanding.understand import Understanding
from tests.agents.assistant.small import GRAPH

pytestmark = pytest.mark.unit
UNDERSTANDING = Understanding(GRAPH)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I love John Williams", "Two are called John Williams: the composer or the actor?"),
        (
            "something like The Thing",
            "Which do you mean by The Thing: The Thing (1982) or The Thing (1995)?",
        ),
        (
            "a film with the same actor as Aliens",
            "Which actor do you mean: Sigourney Weaver or John Williams?",
        ),
        ("a film with the same actor as Heat and Alien", "I know no actor that they share."),
        ("a film directed by Zelda Quux", "I know nothing called “Zelda Quux”."),
    ],
)
def test_what_is_open_is_asked_back(text, question):
    asked = questions(UNDERSTANDING.understand(text).request, GRAPH)
    assert [one.text for one in asked] == [question]


def test_what_is_clear_is_not():
    request = UNDERSTANDING.understand("music by John Williams, like Alien").request
    assert list(questions(request, GRAPH)) == []
