"""`Reasoner`: a policy asked within a time limit, its text judged as it comes."""

import logging
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic

from agents.assistant.answer import Reasoning, Thought
from agents.assistant.judging import Judge, marks
from agents.assistant.policy import Choice, Policy
from agents.assistant.request import Request
from data_engine.errors import RerecError
from data_engine.responses.reading import read

CANDIDATES = 6  # that a policy is shown: as many as an Example has
SECONDS = 20.0
PAUSE = 0.2  # seconds between two judgements of a text that still comes
MOST_CHARACTERS = 32_768  # as many as the reward server reads
Listen = Callable[[Thought], None]
log = logging.getLogger("rerec.assistant")


def ignore_thought(thought: Thought) -> None:
    """Read no thoughts before they are all there."""


class PolicyFailed(RerecError):
    """A policy has given no whole text."""


class Reasoner:
    """seconds: how long a policy may take in all."""

    def __init__(self, policy: Policy, judge: Judge, seconds: float) -> None:
        self._policy, self._judge, self._seconds = policy, judge, seconds

    def reason(
        self, choice: Choice, request: Request, listen: Listen
    ) -> tuple[Reasoning, tuple[str, ...]]:
        """The reasoning over a choice, and the candidates that it answers with.

        listen: is given the text as it comes. Whatever happens to the policy, this returns: a
        reasoning without an answer has a `problem`.
        """
        text, problem, seen = "", "", -PAUSE
        near = (*choice.candidates, *choice.anchors)
        try:
            for raw in within(self._policy.reason(choice), self._seconds):
                piece = _printable(raw)
                if len(text) + len(piece) > MOST_CHARACTERS:
                    raise PolicyFailed(f"it wrote more than {MOST_CHARACTERS} characters")
                text += piece
                if not piece:
                    continue
                marked = None
                if "\n" in piece and monotonic() - seen > PAUSE:
                    marked, seen = self._judged(text, request, near).marks, monotonic()
                listen(Thought(text=piece, marks=marked))
        except RerecError as error:
            problem = " ".join(_printable(str(error)).split())
        except Exception as error:  # whatever a model's library does, the graph's answer stands
            log.exception("the policy failed")
            problem = f"it failed ({type(error).__name__})"
        named = () if problem else self._judge.ranking(text, choice.candidates)
        if not (named or problem):
            unread = read(text).status != "ok"
            problem = "it ends without an answer" if unread else "it answers with no candidate"
        found = self._judged(text, request, near)
        return found.model_copy(update={"named": len(named), "problem": problem}), named

    def _judged(self, text: str, request: Request, near: tuple[str, ...]) -> Reasoning:
        """The text so far with its claims and titles."""
        claims = self._judge.claims(text, request, near)
        titles = self._judge.titles(text, near)
        return Reasoning(
            policy=self._policy.name,
            text=text,
            claims=claims,
            titles=titles,
            marks=marks(claims, titles, len(text)),
        )


def within(pieces: Iterator[str], seconds: float) -> Iterator[str]:
    """The pieces as they come, made in a thread of their own.

    Raises PolicyFailed after so many seconds in all, and what `pieces` raises. Whoever makes them
    then ends at the next one.
    """
    found: Queue[str | BaseException | None] = Queue()
    unwanted, end = Event(), monotonic() + seconds

    def make() -> None:
        try:
            for piece in pieces:
                found.put(piece)
                if unwanted.is_set():
                    break
            found.put(None)
        except Exception as error:  # it is raised in the thread that reads
            found.put(error)

    Thread(target=make, daemon=True).start()
    try:
        while (left := end - monotonic()) > 0:
            try:
                piece = found.get(timeout=left)
            except Empty:
                break
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
        raise PolicyFailed(f"it was not done after {seconds:g} s")
    finally:
        unwanted.set()


def _printable(text: str) -> str:
    """The text without what could steer a terminal or turn a line around."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "" for c in text)
