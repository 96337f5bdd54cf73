"""What the assistant answers: records that are JSON as they stand, with the state to pass back."""

from typing import Literal

from agents.assistant.request import Edit, Request
from data_engine.schema import Condition, Record

Verdict = Literal["met", "missed", "unknown"]
Act = Literal["ask", "more", "why", "who"]


def readable(text: str) -> str:
    """The text without NUL, which Postgres would not keep, and halves of surrogate pairs, which
    are no text (bytes that are not UTF-8 arrive as such).
    """
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


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
    which of several values. not_understood: words that nothing was made of. second_reading: where a
    language model reads the message otherwise.
    """

    kind: Literal["bearer", "title", "shared", "not_understood", "second_reading"]
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


class JudgedClaim(Record):
    """What a policy states at characters start..end of its text. kind: see
    `data_engine.responses.claim`. good: the graph supports it. bad: it says otherwise. note: what
    it says, or why the claim is wrong.
    """

    start: int
    end: int
    text: str
    kind: str
    verdict: Literal["good", "bad", "unknown"]
    note: str = ""


class StrangeTitle(Record):
    """A title that a policy was not given. outside: of an item of the catalogue. invented: of
    none.
    """

    start: int
    end: int
    text: str
    verdict: Literal["outside", "invented"]


class Mark(Record):
    """Characters of a policy's text and the worst that is to be said of them; marks follow each
    other and never overlap.
    """

    start: int
    end: int
    verdict: Literal["good", "unknown", "bad", "outside", "invented"]


class Thought(Record):
    """A piece of a policy's text as it comes. marks: those of the text so far, where a line has
    ended in this piece.
    """

    text: str
    marks: tuple[Mark, ...] | None = None


class Reasoning(Record):
    """A policy's reasoning over the best candidates, which changes no condition and no fact.

    ranking: the candidates, the `named` ones that it answered with first, in its order; () where it
    gave no answer that could be used. problem: why there is none, "" where there is one. text: as
    far as it came. marks: of its claims and titles, for show. summary: what came of it, in
    sentences.
    """

    policy: str
    text: str = ""
    claims: tuple[JudgedClaim, ...] = ()
    titles: tuple[StrangeTitle, ...] = ()
    marks: tuple[Mark, ...] = ()
    ranking: tuple[Recommendation, ...] = ()
    named: int = 0
    problem: str = ""
    summary: tuple[str, ...] = ()


class Answer(Record):
    """An answer. text: all of it in sentences. matching: items of the whole catalogue that meet
    every condition. state: to pass back with the next message. reasoning: of the policy, where
    there is one; everything else is the graph's own answer.
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
    reasoning: Reasoning | None = None
