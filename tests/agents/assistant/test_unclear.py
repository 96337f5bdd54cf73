"""What cannot become a condition is said, and a question about shown items stays with them."""

import pytest

from agents.assistant.understanding.unclear import unclear
from tests.agents.assistant.small import TITLES

LENGTH, AGE = "The catalogue does not record lengths", "Say a year"


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("a comedy under two hours", "under two hours", LENGTH),
        ("crime, no longer than 90 mins", "no longer than 90 mins", LENGTH),
        ("a comedy of at most an hour and a half", "at most an hour and a half", LENGTH),
        ("a 90-minute comedy", "90-minute", LENGTH),
        ("a comedy, not too long", "not too long", LENGTH),
        ("a comedy that is not too old", "not too old", AGE),
        ("a comedy, nothing too recent please", "nothing too recent", AGE),
        ("a comedy that isn't very new", "very new", AGE),
    ],
)
def test_lengths_and_vague_ages_are_said_to_be_left_out(assistant, text, words, said):
    answer = assistant.answer(text)
    (question,) = answer.questions
    assert said in question.text and f"“{words}”" in question.text
    assert question.text in answer.text.splitlines()
    (condition,) = answer.conditions
    assert condition.text == ("crime" if "crime" in text else "comedy")


@pytest.mark.parametrize("text", ["a comedy", "as long as it is a comedy", "an old friend told me"])
def test_plain_words_are_not_unclear(text):
    assert not list(unclear(text, [], ["genre", "year"]))


def test_words_are_unclear_only_where_the_catalogue_makes_them_so():
    def words(relations):
        return [span.text for span in unclear("not too old, under two hours", [], relations)]

    assert words(["year", "runtime"]) == ["not too old"]
    assert words(["genre"]) == ["under two hours"]
    assert words(["year", "running_time"]) == ["not too old"]


def test_a_denied_age_denies_nothing_else(assistant):
    answer = assistant.answer("something not too old by Ridley Scott")
    assert [one.text for one in answer.conditions] == ["directed by Ridley Scott"]


def items(answer):
    return {one.item for one in answer.recommendations}


def test_a_question_about_shown_items_is_answered_with_them_alone(assistant):
    shown = assistant.answer("a sci-fi film", k=2)
    assert items(shown) == {"alien", "blade"}
    asked = assistant.answer("which of these is from 1979?", state=shown.state)
    assert items(asked) == {"alien"} and asked.matching == 1
    assert asked.text.startswith("Of these, one sci-fi film from 1979:")
    none = assistant.answer("which of these stars Al Pacino?", state=shown.state)
    assert none.matching == 0 and items(none) <= {"alien", "blade"}
    assert none.text.startswith("Of these, no sci-fi films starring Al Pacino. The closest:")
    more = assistant.answer("more", state=asked.state)
    assert not more.recommendations
    onwards = assistant.answer("forget the year", state=asked.state)
    assert items(onwards) == {"alien", "aliens", "blade"}


def test_a_question_about_shown_items_when_none_were_shown_is_a_request(assistant):
    assert len(items(assistant.answer("which of these is from 1979?"))) == 2 < len(TITLES)
