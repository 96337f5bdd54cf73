"""An answer in sentences: what was found and why, what was corrected, what must be asked back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.assistant.answer import (
    Act,
    Answer,
    Asked,
    ConditionRow,
    JudgedClaim,
    Reasoning,
    Recommendation,
    Relaxation,
)
from agents.assistant.request import Premise, Request
from agents.assistant.understanding.asking_back import questions
from agents.assistant.wording import Wording, capital, joined
from data_engine.graphs.inverted import InvertedGraph

TALLY = {"good": "right", "bad": "wrong", "unknown": "not known"}
ELSEWHERE = {"outside": "Not among the candidates", "invented": "Not in the catalogue"}
MOST_WRONG = 5  # wrong claims that are told


class Speaker:
    """Puts the answers over one catalogue into words."""

    def __init__(self, graph: InvertedGraph, wording: Wording) -> None:
        self._graph, self._wording = graph, wording

    def answer(
        self,
        act: Act,
        request: Request,
        told: tuple[Premise, ...],
        recommendations: tuple[Recommendation, ...],
        asked: tuple[Asked, ...],
        found: Mapping[str, Any],
    ) -> Answer:
        """The whole answer. told: what the person has just stated. found: what retrieval gave, or
        what is asked about.
        """
        corrections = tuple(map(self._wording.correction, told))
        relaxations = tuple(_relaxation(one, asked, self._wording) for one in found["relaxations"])
        back = tuple(questions(request, self._graph))
        lines = [correction.text for correction in corrections]
        if act in ("why", "who"):
            lines += self._about(act, request, recommendations, found["relations"], bool(told))
        else:
            lines += [question.text for question in back if question.kind == "not_understood"]
            lines += self._shown(act, request, recommendations, found["matching"])
        lines += [relaxation.text for relaxation in relaxations]
        lines += [question.text for question in back if question.kind != "not_understood"]
        return Answer(
            act=act,
            text="\n".join(lines),
            recommendations=recommendations,
            conditions=asked,
            corrections=corrections,
            relaxations=relaxations,
            questions=back,
            matching=found["matching"],
            state=request,
        )

    def _shown(
        self,
        act: Act,
        request: Request,
        recommendations: Sequence[Recommendation],
        matching: int,
    ) -> Iterator[str]:
        """The items, after a line that says what they are."""
        described, thing = self._wording.described, self._wording.thing
        liked = joined([self._wording.title(item) for item in request.anchors])
        taste = f"for someone who likes {liked}" if liked else ""
        if not recommendations:
            yield f"I know no other {thing} that fits." if act == "more" else f"I know no {thing}."
        elif act == "more":
            yield f"More {taste}:" if taste else "More:"
        elif request.is_empty and not request.not_understood:
            yield f"Tell me what you like: a genre, a person, a {thing}. Many like these:"
        elif not request.wishes:
            yield f"{capital(taste)}:" if taste else "Many like these:"
        elif request.among:
            end = ":" if matching else ". The closest:"
            yield f"Of these, {described(request.wishes, matching)}{end}"
        elif matching:
            said = capital(described(request.wishes, matching))
            yield f"{said}, {taste}:" if taste else f"{said}:"
        else:
            yield f"I know {described(request.wishes, 0)}. The closest:"
        for n, one in enumerate(recommendations, 1):
            yield f"{n}. {one.title}: {one.reason}"

    def _about(
        self,
        act: Act,
        request: Request,
        recommendations: Sequence[Recommendation],
        relations: Sequence[str],
        answered: bool,
    ) -> Iterator[str]:
        """What is asked of items that were shown or named. answered: a correction says it all."""
        if not recommendations and not answered:
            yield f"Which {self._wording.thing} do you mean? I have shown none yet."
        for one in recommendations:
            if act == "who":
                facts = [self._wording.fact(one.item, relation) for relation in relations]
                yield " ".join(facts) or f"{one.title}: {one.about}."
            elif not one.rows:
                yield f"{one.title}: {one.reason}."
            else:
                said = [self._why(one.item, row, request) for row in one.rows]
                yield f"{one.title} {'; it '.join(dict.fromkeys(said))}."

    def _why(self, item: str, row: ConditionRow, request: Request) -> str:
        """A row as a clause: "was directed by X", "was directed by Y, not X"."""
        wish = request.wishes[row.number - 1]
        met = [one for one in wish.readings if self._graph.judge(item, one)]
        condition = (*met, wish.condition)[0]
        if row.verdict == "unknown":
            return f"may be {row.text} (it is {row.fact})"
        if row.verdict == "met" and condition.op == "is":
            return self._wording.statement(condition)
        stated = self._wording.stated(item, condition.relation)
        if row.verdict == "met":
            return stated
        if condition.op != "is":
            return f"{stated}, and you asked for {row.text}"
        said = self._wording.said(condition.relation, condition.value, condition.name)
        return f"{stated}, not {said}"


def _relaxation(one: Sequence[Any], asked: Sequence[Asked], wording: Wording) -> Relaxation:
    drop, remaining = one
    said = joined([f"“{asked[n].text}”" for n in drop])
    text = f"Without {said}, {wording.counted(remaining)} would fit."
    return Relaxation(drop=tuple(n + 1 for n in drop), remaining=remaining, text=text)


def spoken_reasoning(reasoning: Reasoning) -> Iterator[str]:
    """What came of a policy's reasoning: its choice, how many claims are right, what is wrong."""
    if reasoning.problem:
        yield f"The policy gives no answer: {reasoning.problem}."
    else:
        chosen = [one.title for one in reasoning.ranking[: reasoning.named]]
        yield f"The policy would take {joined(chosen, 'then')}."
    counts = Counter[str](claim.verdict for claim in reasoning.claims)
    if counts:
        said = [f"{counts[verdict]} {word}" for verdict, word in TALLY.items() if counts[verdict]]
        yield f"Its claims: {', '.join(said)}."
    bad = [claim for claim in reasoning.claims if claim.verdict == "bad"]
    yield from list(dict.fromkeys(map(_wrong, bad)))[:MOST_WRONG]
    for verdict, where in ELSEWHERE.items():
        titles = dict.fromkeys(f"“{t.text}”" for t in reasoning.titles if t.verdict == verdict)
        if titles:
            yield f"{where}: {', '.join(titles)}."


def _wrong(claim: JudgedClaim) -> str:
    said = f"“{claim.text}” is wrong: " if any(map(str.isalnum, claim.text)) else ""
    return said + claim.note
