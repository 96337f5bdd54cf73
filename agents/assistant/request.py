"""The editable state of a request: what a person has asked for so far, each part apart.

A state is never changed: every edit gives another, so that a dialogue can be taken back and kept.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from data_engine.schema import Condition, Record

Verdict = Literal["true", "false", "unknown"]
Unclear = Literal["unknown", "vague_age", "length"]


class Wish(Record):
    """A condition, and the other conditions that the same words may mean.

    alternatives: the other bearers of the name, or the other relations it has. any_of: conditions
    of which one will do as well ("by X or Y"). since: the items whose value it is, where it was not
    named but found ("the same director as A").
    """

    condition: Condition
    alternatives: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()
    since: tuple[str, ...] = ()

    @property
    def readings(self) -> tuple[Condition, ...]:
        """All conditions that may meet it, the likeliest first."""
        return (self.condition, *self.any_of, *self.alternatives)

    def or_else(self, other: "Wish") -> "Wish":
        """The wish that either of the two will do."""
        any_of = (*self.any_of, other.condition, *other.any_of)
        alternatives = (*self.alternatives, *other.alternatives)
        return self.model_copy(update={"any_of": any_of, "alternatives": alternatives})

    def whatever_relation(self, other: "Wish") -> "Wish":
        """The wish that its value may also be of the other's relation: "by or starring X"."""
        return self.model_copy(update={"alternatives": (*self.alternatives, other.condition)})


class Shared(Record):
    """A value of a relation that all `anchors` have, wanted and not found yet.

    `values` are those that they share where they are several, () where they share none.
    """

    relation: str
    anchors: tuple[str, ...]
    values: tuple[str, ...] = ()


class Premise(Record):
    """What was stated of an item: that it has (`holds`) or lacks a value of a relation.

    truth: the values that the graph lists, where it lists some. value: "" where the catalogue has
    nobody of this name.
    """

    item: str
    relation: str
    value: str
    name: str
    holds: bool = True
    verdict: Verdict
    truth: tuple[str, ...] = ()


class Doubt(Record):
    """A title of several items: which is meant must be asked."""

    text: str
    items: tuple[str, ...]


class Span(Record):
    """Words that were not understood, where they stand, and the relation they seem to be of.

    why: they are unknown, an age that everybody sees differently, or a length, which the catalogue
    does not record.
    """

    text: str
    start: int
    end: int
    relation: str = ""
    why: Unclear = "unknown"


class Edit(Record):
    """One change of a request that a person makes by hand.

    drop: condition `number` (from 1) is no longer asked for. choose: condition `number` becomes
    `condition`. add: `condition` is asked for too. like: `item` is taken as liked. exclude: `item`
    must not come again. forget: `item` is neither liked nor ruled out any more. restart: nothing is
    asked for.
    """

    act: Literal["drop", "choose", "add", "like", "exclude", "forget", "restart"]
    number: int = Field(0, ge=0)
    condition: Condition | None = None
    item: str = ""


class Request(Record):
    """All that was asked for, in the order in which it was said.

    anchors: items named or described as liked or alike. shared: what they must share, not found.
    exclusions: items that must not come (again). shown: items of the last answer. not_understood:
    of the last message only. among: the items that the last message asks about, () for all. k: how
    many items are wanted, None where that was not said. offered: items that were shown for this
    request, so that "more" does not show them again.
    """

    wishes: tuple[Wish, ...] = ()
    anchors: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    premises: tuple[Premise, ...] = ()
    exclusions: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    shown: tuple[str, ...] = ()
    not_understood: tuple[Span, ...] = ()
    k: int | None = None
    offered: tuple[str, ...] = ()
    among: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for, liked or open."""
        return not (self.wishes or self.anchors or self.shared or self.doubts)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of all wishes, the likeliest reading of each."""
        return tuple(wish.condition for wish in self.wishes)

    def with_wish(self, wish: Wish) -> "Request":
        """The wish added. One that says the opposite of the same value is replaced, and so is a
        bound on the same side; one that is there already stays as it is.
        """
        said = (wish.condition, wish.any_of)
        if any(said == (known.condition, known.any_of) for known in self.wishes):
            return self
        kept = tuple(known for known in self.wishes if not _replaces(wish, known))
        return self.model_copy(update={"wishes": (*kept, wish)})

    def without_wish(self, relation: str, value: str = "") -> "Request":
        """Without the wishes of a relation, or of just this value of it."""
        kept = tuple(
            wish
            for wish in self.wishes
            if not (wish.condition.relation == relation and value in ("", wish.condition.value))
        )
        shared = tuple(one for one in self.shared if one.relation != relation)
        return self.model_copy(update={"wishes": kept, "shared": shared})

    def without_wanted(self, relation: str) -> "Request":
        """Without the values of a relation that are wanted, and its bounds; what is not wanted
        stays.
        """
        kept = tuple(
            wish
            for wish in self.wishes
            if wish.condition.relation != relation or wish.condition.op == "not"
        )
        return self.model_copy(update={"wishes": kept})

    def without_excluded(self, wishes: Iterable[Wish]) -> "Request":
        """Without the choices of bounds ("the 70s or the 90s") for which the bounds of these wishes
        ("from the 80s") leave no number.
        """
        plain = [wish.condition for wish in wishes if not wish.any_of]
        kept = tuple(wish for wish in self.wishes if not _leaves_nothing(plain, wish))
        return self.model_copy(update={"wishes": kept})

    def edited(self, edit: Edit) -> "Request":
        """The request after a change by hand; one of a condition that is not there changes
        nothing.
        """
        if edit.act == "restart":
            return Request()
        if edit.act == "like":
            return self.without_item(edit.item).with_anchors(edit.item)
        if edit.act == "exclude":
            return self.excluding(edit.item)
        if edit.act == "forget":
            return self.without_item(edit.item)
        if edit.act == "add" and edit.condition is not None:
            shared = tuple(s for s in self.shared if s.relation != edit.condition.relation)
            known = self.model_copy(update={"shared": shared})
            return known.with_wish(Wish(condition=edit.condition))
        wishes = list(self.wishes)
        if 1 <= edit.number <= len(wishes):
            wish = wishes.pop(edit.number - 1)
            if edit.act == "choose" and edit.condition is not None:
                chosen = Wish(condition=edit.condition, since=wish.since)
                wishes.insert(edit.number - 1, chosen)
        return self.model_copy(update={"wishes": tuple(wishes)})

    def without_item(self, item: str) -> "Request":
        """The item neither liked nor ruled out nor doubted about."""
        left = {
            "anchors": tuple(one for one in self.anchors if one != item),
            "exclusions": tuple(one for one in self.exclusions if one != item),
            "doubts": tuple(doubt for doubt in self.doubts if item not in doubt.items),
        }
        return self.model_copy(update=left)

    def with_anchors(self, *items: str) -> "Request":
        """The items added to those that are liked."""
        return self.model_copy(update={"anchors": _added(self.anchors, items)})

    def excluding(self, *items: str) -> "Request":
        """The items ruled out: they are no anchors any more."""
        anchors = tuple(item for item in self.anchors if item not in items)
        exclusions = _added(self.exclusions, items)
        return self.model_copy(update={"anchors": anchors, "exclusions": exclusions})

    def with_premise(self, premise: Premise) -> "Request":
        """The statement added, in place of one of the same item and value."""
        kept = tuple(known for known in self.premises if _fact(known) != _fact(premise))
        return self.model_copy(update={"premises": (*kept, premise)})

    def with_shared(self, shared: Shared) -> "Request":
        """The wish for a shared value added, in place of one of the same relation."""
        kept = tuple(known for known in self.shared if known.relation != shared.relation)
        return self.model_copy(update={"shared": (*kept, shared)})


def _fact(premise: Premise) -> tuple[str, str, str]:
    return premise.item, premise.relation, premise.name


def _replaces(wish: Wish, other: Wish) -> bool:
    asked, known = wish.condition, other.condition
    if asked.relation != known.relation:
        return False
    if asked.op in ("below", "above"):
        return asked.op == known.op and not (wish.any_of or other.any_of)
    return asked.value == known.value


def _leaves_nothing(bounds: Sequence[Condition], choice: Wish) -> bool:
    """Whether whole numbers within the bounds are below and above none of those of a choice."""
    own = [one for one in bounds if one.relation == choice.condition.relation]
    low = max((float(one.value) for one in own if one.op == "above"), default=-math.inf)
    high = min((float(one.value) for one in own if one.op == "below"), default=math.inf)
    sides = (choice.condition, *choice.any_of)
    if not choice.any_of or any(one.op not in ("below", "above") for one in sides):
        return False
    return not any(
        low + 1 < float(one.value) if one.op == "below" else high - 1 > float(one.value)
        for one in sides
    )


def _added(known: tuple[str, ...], items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *items)))
