"""What people asked and which of the shown items they liked, out of the feedback of a store."""

from collections import defaultdict
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from agents.assistant.understanding.understand import Understanding, Understood
from agents.synthesis.world import HISTORY
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
    questions = list(feedback.questions())
    said, liked = defaultdict[str, list[Question]](list), defaultdict[str, list[Opinion]](list)
    taste = defaultdict[str, list[Opinion]](list)
    for question in questions:
        said[question.thread].append(question)
    for one in _last_opinions(feedback):
        if one.liked:
            liked[one.thread].append(one)
            taste[feedback.asker(one.thread, one.user)].append(one)
    found = []
    for question in questions:
        asker, thread = feedback.asker(question.thread, question.user), question.thread
        items = tuple(_liked_after(question, said[thread], liked[thread]))
        before = [one.item for one in taste[asker] if one.at < question.at]
        text = " ".join(question.text.split())
        history = tuple(before[-HISTORY:])
        found.append(Asked(text, asker, question.conditions, items, history))
    return found


def _last_opinions(feedback: Feedback) -> Iterator[Opinion]:
    """The last opinion of each conversation on each item, oldest first."""
    last: dict[tuple[str, str], Opinion] = {}
    for one in feedback.opinions():
        last.pop((one.thread, one.item), None)
        last[one.thread, one.item] = one
    yield from last.values()


def _liked_after(question: Question, said: list[Question], liked: list[Opinion]) -> Iterator[str]:
    """The items that were liked after a question and before the next that changes the request:
    one about the answer ("why the first?") changes no condition.
    """
    later = (one for one in said if one.at > question.at)
    until = next((one.at for one in later if one.conditions != question.conditions), inf)
    for one in liked:
        if question.at < one.at < until:
            yield one.item


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
