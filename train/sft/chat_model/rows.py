"""Lessons as the rows that verl's SFT data set reads: messages, and which of them are learned."""

from collections.abc import Sequence
from typing import Any

from train.tasks.base import Lesson

Row = dict[str, Any]  # {"messages": [{"role", "content"}], "learned": [bool]}, see `lesson_rows`


def lesson_row(lesson: Lesson) -> Row:
    """The chat with its right response.

    Learned are the response and those of the policy's earlier messages that have no lesson of their
    own.
    """
    own = [m.role == "assistant" and not m.flawed for m in lesson.since]
    before = [False] * (len(lesson.chat) - len(own))
    answer = {"role": "assistant", "content": lesson.gold}
    return {"messages": [*lesson.chat, answer], "learned": [*before, *own, True]}


def lesson_rows(taught: Sequence[Lesson], answer_weight: float = 1.0) -> list[Row]:
    """A `lesson_row` per Lesson, with "answer_weight" where that is not 1."""
    rows = [lesson_row(lesson) for lesson in taught]
    return rows if answer_weight == 1 else [row | {"answer_weight": answer_weight} for row in rows]
