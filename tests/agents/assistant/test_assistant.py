import pytest

from agents.assistant.answer import Answer, Message
from agents.assistant.assistant import LONGEST, Assistant
from agents.assistant.request import Edit, Request
from data_engine.errors import DataError

pytestmark = pytest.mark.unit


def items(answer):
    return [one.item for one in answer.recommendations]


def talk(assistant, *texts):
    """The answer to the last of the messages, each with the state before it."""
    state = Request()
    for text in texts:
        answer = assistant.answer(text, state=state)
        state = answer.state
    return answer


def test_what_meets_everything_comes_the_best_liked_first(assistant):
    answer = assistant.answer("a sci-fi film directed by Ridley Scott")
    assert items(answer) == ["alien", "blade"] and answer.matching == 2
    assert [one.text for one in answer.conditions] == ["sci-fi", "directed by Ridley Scott"]
    assert [one.holders for one in answer.conditions] == [3, 2]
    assert answer.text.startswith("Two sci-fi films directed by Ridley Scott:\n1. Alien (1979): ")
    rows = [(row.number, row.verdict, row.fact) for row in answer.recommendations[0].rows]
    assert rows == [(1, "met", "sci-fi"), (2, "met", "directed by Ridley Scott")]


def test_nothing_fits_so_the_closest_are_shown_and_what_to_drop(assistant):
    answer = assistant.answer("a sci-fi film directed by Michael Mann")
    assert answer.matching == 0 and answer.text.startswith(
        "I know no sci-fi films directed by Michael Mann. The closest:"
    )
    assert [(one.drop, one.remaining) for one in answer.relaxations] == [((2,), 3), ((1,), 2)]
    assert (
        answer.relaxations[0].text == "Without “directed by Michael Mann”, three films would fit."
    )
    (missed,) = [row for row in answer.recommendations[0].rows if row.verdict == "missed"]
    assert missed.text == "directed by Michael Mann" and missed.fact.startswith("directed by ")


def test_what_is_not_known_is_said_and_never_met(assistant):
    answer = assistant.answer("a comedy directed by Clint Eastwood")  # nobody directed Help!
    of = {one.item: one for one in answer.recommendations}
    row = of["help"].rows[1]
    assert row.verdict == "unknown" and row.fact == "not known who directed it"
    assert "but it is not known who directed it" in of["help"].reason


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        (
            "I liked Alien, directed by James Cameron. Another one by the same director",
            "false",
            "Alien was directed by Ridley Scott, not James Cameron.",
        ),
        (
            "I liked Alien. It was directed by James Cameron, right?",
            "false",
            "Alien was directed by Ridley Scott, not James Cameron.",
        ),
        ("Was Alien directed by Ridley Scott?", "true", "Yes, Alien was directed by Ridley Scott."),
        (
            "I liked Help!, directed by Michael Mann. Something like it",
            "unknown",
            "I cannot say whether Help! was directed by Michael Mann: "
            "the catalogue does not say who directed it.",
        ),
    ],
)
def test_what_is_stated_is_held_against_the_catalogue(assistant, text, verdict, said):
    answer = assistant.answer(text)
    assert [(one.verdict, one.text) for one in answer.corrections] == [(verdict, said)]
    assert said in answer.text.splitlines()
    assert assistant.answer("before 1990", state=answer.state).corrections == ()  # said once


def test_a_yes_or_no_question_asks_for_nothing(assistant):
    answer = assistant.answer("Was Alien directed by James Cameron?")
    assert answer.recommendations == () and answer.state.wishes == () == answer.state.anchors


def test_namesakes_are_asked_back_and_an_option_settles_it(assistant):
    answer = assistant.answer("I love John Williams")
    (question,) = answer.questions
    assert question.text == "Two are called John Williams: the composer or the actor?"
    actor = question.options[1].edit
    chosen = assistant.answer(edits=[actor], state=answer.state)
    assert items(chosen) == ["aliens"] and chosen.questions == ()


def test_a_dialogue_adds_takes_back_rules_out_and_goes_on(assistant):
    assert items(talk(assistant, "a sci-fi film", "starring Sigourney Weaver")) == [
        "alien",
        "aliens",
    ]
    assert items(talk(assistant, "a sci-fi film", "before 1980", "forget the year"))[0] == "alien"
    assert sorted(items(talk(assistant, "not the last one, a comedy"))) == ["help", "thing2"]
    assert items(talk(assistant, "a sci-fi film", "seen the first one")) == ["blade", "aliens"]
    assert items(talk(assistant, "give me two sci-fi films", "more")) == ["aliens"]
    last = talk(assistant, "a sci-fi film", "more")
    assert last.recommendations == ()
    assert last.text == "I know no other film that fits.\nWithout “sci-fi”, four films would fit."
    alike = talk(assistant, "something like Heat", "forget Heat, a horror film instead")
    assert alike.state.anchors == () and items(alike) == ["thing"]


def test_either_of_two_will_do(assistant):
    answer = assistant.answer("a film directed by Michael Mann or James Cameron")
    assert sorted(items(answer)) == ["aliens", "heat", "thing2"] and answer.matching == 3
    assert answer.conditions[0].text == "directed by Michael Mann or James Cameron"


def test_why_and_who_are_answered_of_what_was_shown(assistant):
    why = talk(assistant, "a sci-fi film directed by Ridley Scott", "why the second one?")
    assert why.text == "Blade Runner (1982) is sci-fi; it was directed by Ridley Scott."
    not_shown = talk(assistant, "a sci-fi film directed by Ridley Scott", "why not Heat?")
    assert not_shown.text == (
        "Heat (1995) is crime, not sci-fi; it was directed by Michael Mann, not Ridley Scott."
    )
    assert talk(assistant, "a sci-fi film", "who is in it? the first one").text == (
        "Alien stars Sigourney Weaver."
    )
    assert assistant.answer("who directed Heat?").text == "Heat was directed by Michael Mann."
    assert assistant.answer("who composed Heat?").text == (
        "Of Heat the catalogue does not say who wrote the music."
    )


def test_without_conditions_taste_decides(assistant):
    like = assistant.answer("something like Blade Runner")
    assert items(like)[0] == "alien" and "blade" not in items(like)
    assert "as in Blade Runner: " in like.recommendations[0].reason
    assert items(assistant.answer("hello"))[:2] == ["alien", "blade"]  # the best liked


def test_what_a_user_knows_does_not_return(assistant):
    assert items(assistant.answer("a sci-fi film", user="u1")) == ["aliens"]
    with pytest.raises(DataError, match="no user 'nobody'"):
        assistant.answer("a sci-fi film", user="nobody")


def test_edits_by_hand(assistant):
    first = assistant.answer("a sci-fi film directed by Ridley Scott")
    dropped = assistant.answer(edits=[Edit(act="drop", number=2)], state=first.state)
    assert items(dropped) == ["alien", "blade", "aliens"]
    assert items(
        assistant.answer(edits=[Edit(act="exclude", item="alien")], state=first.state)
    ) == ["blade"]
    liked = assistant.answer(edits=[Edit(act="like", item="alien")], state=first.state)
    assert liked.state.anchors == ("alien",) and items(liked) == ["blade"]
    assert assistant.answer(edits=[Edit(act="restart")], state=first.state).state.is_empty
    with pytest.raises(DataError, match="no item 'nothing'"):
        assistant.answer(edits=[Edit(act="like", item="nothing")])


def test_a_whole_dialogue_is_replayed_as_its_states_were(assistant):
    first = assistant.answer("a sci-fi film")
    messages = [
        Message(role="user", content="a sci-fi film"),
        Message(role="assistant", content=first.text),
        Message(role="user", content="seen the second one"),
    ]
    replayed = assistant.answer(messages)
    assert items(replayed) == items(assistant.answer("seen the second one", state=first.state))
    assert replayed.state.exclusions == (first.recommendations[1].item,)


def test_an_answer_is_json_and_its_state_goes_on(assistant):
    answer = assistant.answer(
        "a sci-fi film by Ridley Scott or James Cameron, I love John Williams"
    )
    again = Answer.model_validate_json(answer.model_dump_json())
    assert again == answer
    assert assistant.answer("more", state=again.state) == assistant.answer(
        "more", state=answer.state
    )


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ("x" * (LONGEST + 1), f"at most {LONGEST}"),
        ([Message(role="assistant", content="hello")], "must be the person's"),
    ],
)
def test_messages_that_are_refused(assistant, messages, error):
    with pytest.raises(DataError, match=error):
        assistant.answer(messages)
    with pytest.raises(DataError, match="choose from 1 to 100"):
        assistant.answer("a comedy", k=0)


def test_a_conversation_goes_on_after_a_restart(small_store, tmp_path):
    kept = tmp_path / "deep/c.sqlite"
    with Assistant(small_store, checkpoints=kept) as first:
        first.reply("mine", "a sci-fi film")
        first.reply("other", "a horror film")
    with Assistant(small_store, checkpoints=kept) as second:
        assert items(second.reply("mine", "before 1980")) == ["alien"]
        assert [c.name for c in second.state("other").conditions] == ["Horror"]
        assert second.state("unknown") is None
        assert items(second.reply("mine", edits=[Edit(act="drop", number=2)]))[1:] == [
            "blade",
            "aliens",
        ]
    assert b"json" in kept.read_bytes() or b"json" in kept.with_name("c.sqlite-wal").read_bytes()


def test_conversations_need_a_file(assistant):
    with pytest.raises(DataError, match="only with checkpoints"):
        assistant.reply("mine", "a comedy")
