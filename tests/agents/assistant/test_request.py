import pytest

from agents.assistant.request import Premise, Request, Shared, Wish
from data_engine.schema import Condition

pytestmark = pytest.mark.unit


def wish(relation, value, op="is"):
    return Wish(condition=Condition(relation=relation, value=value, name=value.title(), op=op))


def test_a_wish_is_added_once_and_in_order():
    state = Request().with_wish(wish("director", "ann")).with_wish(wish("genre", "war"))
    assert state.with_wish(wish("director", "ann")) == state
    assert [c.value for c in state.conditions] == ["ann", "war"]


def test_the_opposite_and_a_bound_on_the_same_side_replace():
    state = Request().with_wish(wish("genre", "war")).with_wish(wish("genre", "war", "not"))
    assert [(c.value, c.op) for c in state.conditions] == [("war", "not")]
    state = Request().with_wish(wish("year", "1990", "below"))
    state = state.with_wish(wish("year", "1980", "above")).with_wish(wish("year", "1985", "below"))
    assert [(c.value, c.op) for c in state.conditions] == [("1980", "above"), ("1985", "below")]


def test_wishes_are_taken_back_by_value_or_by_relation():
    state = Request().with_wish(wish("starring", "ann")).with_wish(wish("starring", "bob"))
    assert [c.value for c in state.without_wish("starring", "ann").conditions] == ["bob"]
    assert not state.without_wish("starring").wishes
    waiting = Request().with_shared(Shared(relation="starring", anchors=("i1",)))
    assert not waiting.without_wish("starring").shared


def test_an_item_ruled_out_is_no_anchor():
    state = Request().with_anchors("i1", "i2", "i1").excluding("i1")
    assert state.anchors == ("i2",) and state.exclusions == ("i1",)


def test_a_statement_said_again_replaces_the_first():
    said = Premise(item="i1", relation="director", value="ann", name="Ann", verdict="unknown")
    again = said.model_copy(update={"verdict": "false", "truth": ("bob",)})
    assert Request().with_premise(said).with_premise(again).premises == (again,)
    assert Request().model_validate_json(Request().with_premise(again).model_dump_json())
