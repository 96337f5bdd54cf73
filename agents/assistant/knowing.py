"""Whether a state or a change that comes from outside speaks of this catalogue."""

from collections.abc import Iterable, Iterator

from agents.assistant.request import Edit, Request
from data_engine.errors import DataError
from data_engine.facts import number
from data_engine.graphs.inverted import InvertedGraph
from data_engine.schema import Condition

_OF_ITEMS = frozenset(("like", "exclude", "forget"))


def check_known(graph: InvertedGraph, request: Request, edits: Iterable[Edit]) -> None:
    """Raise DataError for an item, a relation or a value that the catalogue does not have."""
    edits = tuple(edits)
    for edit in edits:
        if edit.act in _OF_ITEMS and not edit.item:
            raise DataError(f"{edit.act!r} needs an item")
    for item in (*_items(request), *(edit.item for edit in edits if edit.item)):
        if graph.place(item) is None:
            raise DataError(f"no item {item[:100]!r} in this catalogue")
    given = [edit.condition for edit in edits if edit.condition is not None]
    for condition in (*_conditions(request), *given):
        _check_condition(graph, condition)
    for relation, value in _values(request):
        _check_value(graph, relation, value)


def _items(request: Request) -> Iterator[str]:
    for items in _lists(request):
        yield from items
    for shared in request.shared:
        yield from shared.anchors
    for doubt in request.doubts:
        yield from doubt.items
    yield from (premise.item for premise in request.premises)


def _lists(request: Request) -> tuple[tuple[str, ...], ...]:
    shown = (request.shown, request.offered, request.among)
    return (request.anchors, request.exclusions, *shown)


def _conditions(request: Request) -> Iterator[Condition]:
    for wish in request.wishes:
        yield from wish.readings


def _values(request: Request) -> Iterator[tuple[str, str]]:
    """(relation, value) of what was stated or is shared; "" for no value."""
    for premise in request.premises:
        for value in (premise.value, *premise.truth):
            yield premise.relation, value
    for shared in request.shared:
        for value in shared.values or ("",):
            yield shared.relation, value


def _check_condition(graph: InvertedGraph, condition: Condition) -> None:
    if condition.op not in ("below", "above"):
        _check_value(graph, condition.relation, condition.value)
    elif number(condition.value) is None:
        raise DataError(f"{condition.value[:100]!r} is no number")
    else:
        _check_value(graph, condition.relation, "")


def _check_value(graph: InvertedGraph, relation: str, value: str) -> None:
    if graph.number(relation) < 0:
        raise DataError(f"no relation {relation[:100]!r} in this catalogue")
    if value and graph.arrays.attribute_ids.find(value) is None:
        raise DataError(f"no value {value[:100]!r} in this catalogue")
