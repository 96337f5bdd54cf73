"""A language model's reading of a message held against the assistant's: what differs is asked."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from agents.assistant.answer import Option, Question
from agents.assistant.reference import Reference
from agents.assistant.request import Edit, Request, Wish
from agents.assistant.wording import Wording
from data_engine.facts import number
from data_engine.graphs.inverted import InvertedGraph
from data_engine.schema import Condition, Record

MOST_CONDITIONS = 20
BOUNDS = ("below", "above")


class SaidCondition(BaseModel):
    """A condition as a model names it; `name` of a value, or a number."""

    relation: str = Field(max_length=100)
    op: Literal["is", "not", "below", "above"]
    name: str = Field(max_length=200)


class SaidConditions(BaseModel):
    """All that is asked for, as a model reads it."""

    conditions: list[SaidCondition] = Field(max_length=MOST_CONDITIONS)


class SecondReader(Protocol):
    """A language model that reads messages too."""

    @property
    def name(self) -> str:
        """The model as people know it."""

    def read(
        self, text: str, known: Sequence[Condition], relations: Sequence[str]
    ) -> SaidConditions:
        """All that is asked for after the message `text`, where `known` was asked for before it.

        Raises RerecError where the model fails.
        """


class SecondReading(Record):
    """How a model's reading differs from the request, which it does not change.

    added: conditions that the request lacks. missing: wishes, as numbers from 1, that the model
    does not read. strange: conditions in words that the catalogue does not have. problem: why there
    is no reading, "" where there is one.
    """

    model: str
    added: tuple[Condition, ...] = ()
    missing: tuple[int, ...] = ()
    strange: tuple[str, ...] = ()
    problem: str = ""


class Comparison:
    """Compares readings over one catalogue."""

    def __init__(self, graph: InvertedGraph, reference: Reference, wording: Wording) -> None:
        self._graph, self._reference, self._wording = graph, reference, wording

    def compare(self, model: str, said: SaidConditions, request: Request) -> SecondReading:
        """The differences. What a model cannot say is not missing: values that were found ("the
        same director as A").
        """
        read, strange = list[tuple[Condition, ...]](), list[str]()
        for one in said.conditions:
            if found := self._conditions(one):
                read.append(found)
            else:
                strange.append(f"{one.relation}: {one.name}")
        wishes = request.wishes
        added = [found[0] for found in read if not any(_same(wish, found) for wish in wishes)]
        missing = [
            place
            for place, wish in enumerate(wishes, 1)
            if not wish.since and not any(_same(wish, found) for found in read)
        ]
        return SecondReading(
            model=model,
            added=tuple(dict.fromkeys(added)),
            missing=tuple(missing),
            strange=tuple(dict.fromkeys(map(printable, strange))),
        )

    def questions(self, reading: SecondReading, request: Request) -> Iterator[Question]:
        """One question for each difference, with the edit that would follow the model."""
        model = reading.model
        for condition in reading.added:
            said = self._wording.condition(condition)
            option = Option(text=f"Add “{said}”", edit=Edit(act="add", condition=condition))
            text = f"{model} also reads “{said}”: is that wanted?"
            yield Question(kind="second_reading", text=text, options=(option,))
        for place in reading.missing:
            said = self._wording.wish(request.wishes[place - 1])
            option = Option(text=f"Drop “{said}”", edit=Edit(act="drop", number=place))
            text = f"{model} does not read “{said}”: is that wanted?"
            yield Question(kind="second_reading", text=text, options=(option,))
        for said in reading.strange:
            text = f"{model} reads “{said}”, which the catalogue does not have."
            yield Question(kind="second_reading", text=text)
        if reading.problem:
            text = f"{model} gives no second reading: {reading.problem}."
            yield Question(kind="second_reading", text=text)

    def _conditions(self, said: SaidCondition) -> tuple[Condition, ...]:
        """What may be meant: more than one condition for namesakes, none for what is not known."""
        relation, name = said.relation, said.name.strip()
        if relation not in self._graph.relations:
            return ()
        if said.op in BOUNDS:
            known = relation in self._graph.numeric and number(name) is not None
            return (Condition(relation=relation, value=name, name=name, op=said.op),) * known
        return tuple(
            Condition(relation=relation, value=value, name=self._graph.name(value), op=said.op)
            for value in self._reference.bearers(relation, name)
        )


def _same(wish: Wish, read: Sequence[Condition]) -> bool:
    """Whether any reading of a wish is one of the conditions that a model may mean."""
    meant = {(c.relation, c.op, c.value) for c in read}
    return any((c.relation, c.op, c.value) in meant for c in wish.readings)


def printable(text: str) -> str:
    """The text with a space for each character that could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
