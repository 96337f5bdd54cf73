"""The editable state of a request: what a person has asked for so far, each part apart.

A state is never changed: every edit gives another, so that a dialogue can be taken back and kept.
"""

from typing import Literal

from data_engine.schema import Condition, Record

SUGGESTIONS = 5  # items that an answer has where nothing else is asked for
Verdict = Literal["true", "false", "unknown"]


class Wish(Record):
    """A condition, and the other conditions that the same words may mean.

    alternatives: the other bearers of the name, or the other relations it has. since: the items
    whose value it is, where it was not named but found ("the same director as A").
    """

    condition: Condition
    alternatives: tuple[Condition, ...] = ()
    since: tuple[str, ...] = ()


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
    """Words that were not understood, where they stand, and the relation they seem to be of."""

    text: str
    start: int
    end: int
    relation: str = ""


class Request(Record):
    """All that was asked for, in the order in which it was said.

    anchors: items named or described as liked or alike. shared: what they must share, not found.
    exclusions: items that must not come (again). shown: items of the last answer. not_understood:
    of the last message only. k: how many items are wanted.
    """

    wishes: tuple[Wish, ...] = ()
    anchors: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    premises: tuple[Premise, ...] = ()
    exclusions: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    shown: tuple[str, ...] = ()
    not_understood: tuple[Span, ...] = ()
    k: int = SUGGESTIONS

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of all wishes, the likeliest reading of each."""
        return tuple(wish.condition for wish in self.wishes)

    def with_wish(self, wish: Wish) -> "Request":
        """The wish added. One that says the opposite of the same value is replaced, and so is a
        bound on the same side; one that is there already stays as it is.
        """
        asked = wish.condition
        if any(asked == known.condition for known in self.wishes):
            return self
        kept = tuple(known for known in self.wishes if not _replaces(asked, known.condition))
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


def _replaces(asked: Condition, known: Condition) -> bool:
    if asked.relation != known.relation:
        return False
    if asked.op in ("below", "above"):
        return asked.op == known.op
    return asked.value == known.value


def _added(known: tuple[str, ...], items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *items)))
