"""What the assistant answers: records that are JSON as they stand, with the state to pass back."""

from typing import Literal

from agents.assistant.request import Edit, Request
from data_engine.schema import Condition, Record

Verdict = Literal["met", "missed", "unknown"]
Act = Literal["ask", "more", "why", "who"]


class Message(Record):
    """One message of a dialogue, as chat APIs have them."""

    role: Literal["user", "assistant"]
    content: str


class Option(Record):
    """One answer to a question: its words, and the edit that it means (None: say it in words)."""

    text: str
    edit: Edit | None = None


class Question(Record):
    """What is asked back. bearer: which of several people. title: which of several items. shared:
    which of several values. not_understood: words that nothing was made of.
    """

    kind: Literal["bearer", "title", "shared", "not_understood"]
    text: str
    options: tuple[Option, ...] = ()


class Asked(Record):
    """A condition of the request in words; `number` counts from 1, `holders` are the items of the
    whole catalogue that meet it.
    """

    number: int
    text: str
    condition: Condition
    holders: int


class ConditionRow(Record):
    """Whether an item meets condition `number`, and the fact that says so ("directed by Ridley
    Scott"); of unknown, what the catalogue does not say.
    """

    number: int
    text: str
    verdict: Verdict
    fact: str


class Recommendation(Record):
    """An item with a row per condition. reason: one sentence. about: its main facts in words."""

    item: str
    title: str
    reason: str
    about: str
    rows: tuple[ConditionRow, ...] = ()


class Correction(Record):
    """What the person said of an item, held against the catalogue."""

    item: str
    title: str
    verdict: Literal["true", "false", "unknown"]
    text: str


class Relaxation(Record):
    """Conditions (numbers from 1) without which `remaining` items meet all the others."""

    drop: tuple[int, ...]
    remaining: int
    text: str


class Answer(Record):
    """An answer. text: all of it in sentences. matching: items of the whole catalogue that meet
    every condition. state: to pass back with the next message.
    """

    act: Act
    text: str
    recommendations: tuple[Recommendation, ...] = ()
    conditions: tuple[Asked, ...] = ()
    corrections: tuple[Correction, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    questions: tuple[Question, ...] = ()
    matching: int = 0
    state: Request
