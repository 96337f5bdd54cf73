"""What people asked and which of the shown items they liked, out of the feedback of a store."""

from collections.abc import Iterator
from typing import NamedTuple

from agents.assistant.understanding.understand import Understanding, Understood
from agents.synthesis.world import HISTORY
from data_engine.importers.feedback import asker_of
from data_engine.schema import Condition
from data_engine.store.feedback import Feedback, Opinion, Question


class Asked(NamedTuple):
    """A question. conditions: those of the conversation after it. liked: items that were liked
    after it and before the next request, in order. history: what the asker had liked before it.
    """

    text: str
    asker: str
    conditions: tuple[Condition, ...]
    liked: tuple[str, ...]
    history: tuple[str, ...]


def asked_questions(feedback: Feedback) -> list[Asked]:
    """All questions, oldest first."""
    opinions = [one for one in _last_opinions(feedback) if one.liked]
    questions = list(feedback.questions())
    return [_asked(question, questions, opinions) for question in questions]


def _last_opinions(feedback: Feedback) -> Iterator[Opinion]:
    """The last opinion of each conversation on each item, oldest first."""
    last: dict[tuple[str, str], Opinion] = {}
    for one in feedback.opinions():
        last.pop((one.thread, one.item), None)
        last[one.thread, one.item] = one
    yield from last.values()


def _asked(question: Question, questions: list[Question], likes: list[Opinion]) -> Asked:
    later = (one for one in questions if one.thread == question.thread and one.at > question.at)
    # A question about the answer ("why the first?") changes no condition.
    until = next((one.at for one in later if one.conditions != question.conditions), float("inf"))
    asker = asker_of(question.thread, question.user)
    liked = [
        one.item for one in likes if one.thread == question.thread and question.at < one.at < until
    ]
    before = [
        one.item
        for one in likes
        if asker_of(one.thread, one.user) == asker and one.at < question.at
    ]
    return Asked(
        " ".join(question.text.split()),
        asker,
        question.conditions,
        tuple(liked),
        tuple(before[-HISTORY:]),
    )


def unusable(asked: Asked, understanding: Understanding) -> str:
    """Why a question cannot become an Example, whatever was liked; "" where it can."""
    understood = understanding.understand(asked.text)
    request, wishes = understood.request, understood.request.wishes
    named = (request.anchors, request.premises, request.shared, request.doubts, request.exclusions)
    reasons = {
        "ask for nothing: about an answer, or for more": understood.act != "ask",
        "not understood in part": bool(request.not_understood),
        "rest on an item that they name": any(named),
        "without a condition": not wishes,
        "ask for one value or another": any(wish.any_of for wish in wishes),
        "name somebody of several of that name": _has_namesakes(understood),
        "go on from an earlier message, or the catalogue is another": request.conditions
        != asked.conditions,
        "without a liked item": not asked.liked,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _has_namesakes(understood: Understood) -> bool:
    for wish in understood.request.wishes:
        if any(other.value != wish.condition.value for other in wish.alternatives):
            return True
    return False
