"""A policy's text held against the graph: its claims, its titles, the order it gives."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from agents.assistant.answer import JudgedClaim, Mark, StrangeTitle
from agents.assistant.request import Request, Wish
from agents.assistant.wording import Wording, capital
from data_engine.graphs.inverted import InvertedGraph
from data_engine.graphs.mapped import CompiledCondition, Requirements
from data_engine.names.mentions import Mention, TitleFinder
from data_engine.names.titles import TitleResolver
from data_engine.responses.claim import Claim
from data_engine.responses.claims import ClaimChecker
from data_engine.responses.marks import worst
from data_engine.responses.reading import read, without_tags

VERDICTS = {"supported": "good", "contradicted": "bad", "unknown": "unknown"}
ORDER = ("good", "unknown", "bad", "outside", "invented")  # the later, the worse
NOTES = {  # of a claim of this kind, by its word
    ("need", ""): "{value} was not asked for.",
    ("match", "yes"): "{value} is not what was asked for.",
    ("match", "no"): "{value} is what was asked for.",
    ("decision", "keep"): "{title} misses something that was asked for.",
    ("decision", "skip"): "{title} meets all that was asked for.",
}
REQUESTS = 256  # whose conditions are kept compiled
LONGEST = 100  # characters of a title in running text
_YEAR = re.compile(r" \(\d{4}\)")
_WORD = r"[^\W_a-z][\w'’.:!?&-]*"  # with a capital or a digit
_SMALL = "of|the|an?|and|in|on|to|for|with|from|at|de|du|des|la|le|der|von|van|&"
_NAME = re.compile(rf"{_WORD}(?: (?:{_WORD}|{_SMALL}))*(?:, (?:The|An?|L[ae]s?|Der|Die|Das|Il))?$")


class Judge:
    """Judges texts over one catalogue. titled: the items that bear a title of the catalogue."""

    def __init__(
        self, graph: InvertedGraph, wording: Wording, titled: Callable[[str], tuple[str, ...]]
    ) -> None:
        self._graph, self._wording, self._titled = graph, wording, titled
        self._checker = ClaimChecker(graph)
        self._required = lru_cache(REQUESTS)(self._compiled)

    def claims(self, text: str, request: Request, near: Sequence[str]) -> tuple[JudgedClaim, ...]:
        """What a text states of the items `near` and of the request, in order."""
        text, mentions = without_tags(text), self._mentions(text, near)
        found = self._checker.check(text, mentions, self._required(request.wishes))
        return tuple(self._judged(text, claim) for claim in found)

    def titles(self, text: str, near: Sequence[str]) -> tuple[StrangeTitle, ...]:
        """The titles of a text that are of none of the items `near`: those with a year, and all
        that are answered.
        """
        mentions, known = self._mentions(text, near), self._resolver(near)
        found = {}
        for starts, end in (*_dated(text), *_answered(text)):
            if any(start <= starts[-1] and end <= last for _, start, last in mentions):
                continue
            if any(known.resolve(text[start:end]).status == "ok" for start in starts):
                continue
            borne = [start for start in starts if self._titled(text[start:end])]
            start, verdict = (borne[0], "outside") if borne else (starts[0], "invented")
            found[start] = StrangeTitle(start=start, end=end, text=text[start:end], verdict=verdict)
        return tuple(found[start] for start in sorted(found))

    def ranking(self, text: str, candidates: Sequence[str]) -> tuple[str, ...]:
        """The candidates that a text answers with, in its order."""
        resolved = map(self._resolver(candidates).resolve, read(text).titles)
        return tuple(dict.fromkeys(one.items[0] for one in resolved if one.status == "ok"))

    def _resolver(self, items: Sequence[str]) -> TitleResolver:
        return TitleResolver({item: self._graph.title(item) for item in items})

    def _mentions(self, text: str, near: Sequence[str]) -> list[Mention]:
        titles = {item: self._graph.title(item) for item in near}
        return TitleFinder(titles).find(without_tags(text))

    def _judged(self, text: str, claim: Claim) -> JudgedClaim:
        return JudgedClaim(
            start=claim.start,
            end=claim.end,
            text=text[claim.start : claim.end],
            kind=claim.kind,
            verdict=VERDICTS[claim.verdict],
            note=self._note(text, claim) if claim.verdict == "contradicted" else "",
        )

    def _note(self, text: str, claim: Claim) -> str:
        """What is wrong with a claim that the graph or the request contradicts."""
        if claim.kind in ("fact", "lack"):
            return self._wording.fact(claim.subject, claim.relation)
        if claim.kind == "needs":
            said = self._wording.values([(claim.relation, claim.value)])
            return f"It leaves out what was asked for: {said[0]}."
        if claim.kind == "decision":
            return NOTES[claim.kind, claim.value].format(title=self._wording.title(claim.subject))
        word = "" if claim.kind == "need" else text[claim.start : claim.end].lower()
        value = self._wording.said(claim.relation, claim.value)
        return capital(NOTES[claim.kind, word].format(value=value))

    def _compiled(self, wishes: tuple[Wish, ...]) -> Requirements | None:
        """The wishes as the claim checker takes them; None where there is none, or where one may
        be met in several relations: only facts are judged then.
        """
        found = [self._condition(wish) for wish in wishes]
        whole = [condition for condition in found if condition is not None]
        if not whole or len(whole) < len(found):
            return None
        return Requirements(tuple(whole), frozenset(w.condition.relation for w in wishes))

    def _condition(self, wish: Wish) -> CompiledCondition | None:
        """One condition that any reading of a wish meets."""
        read = [self._graph.compiled(c.op, c.relation, c.value) for c in wish.readings]
        if len(read) == 1:
            return read[0]
        if any(one.relation != read[0].relation or not one.holds for one in read):
            return None
        codes = frozenset[int]().union(*(one.codes for one in read))
        return CompiledCondition(read[0].relation, codes, True)


def marks(
    claims: Sequence[JudgedClaim], titles: Sequence[StrangeTitle], length: int
) -> tuple[Mark, ...]:
    """The claims and titles of a text of so many characters as marks: of what overlaps, the
    worst.
    """
    spans: list[tuple[int, int, str]] = [(c.start, c.end, c.verdict) for c in claims]
    spans += [(title.start, title.end, title.verdict) for title in titles]
    return tuple(
        Mark(start=start, end=end, verdict=verdict)  # type: ignore[arg-type]  # one of ORDER
        for start, end, verdict in worst(spans, ORDER, length)
    )


def _dated(text: str) -> Iterator[tuple[list[int], int]]:
    """What is written as a title with its year, as (where it may begin, its end): "Consider Heat
    (1995)" may begin with either word.
    """
    for year in _YEAR.finditer(text):
        line = text.rfind("\n", 0, year.start()) + 1
        first = max(line, year.start() - LONGEST)
        if name := _NAME.search(text[first : year.start()]):
            words = re.finditer(r"[^ ]+", name[0])
            yield [first + name.start() + word.start() for word in words], year.end()


def _answered(text: str) -> Iterator[tuple[list[int], int]]:
    """The titles of the answer, likewise."""
    at = max(text.rfind("<answer>"), 0)
    for title in read(text).titles:
        at = text.index(title, at)
        yield [at], at + len(title)
        at += len(title)
