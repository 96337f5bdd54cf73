"""The steps of an answer, one per node of the graph: understand, retrieve, reason, check, answer.

What passes between them is JSON, so that a checkpoint of it needs no pickle.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from langgraph.types import StreamWriter

from agents.assistant.answer import Act, Answer, Asked, Reasoning, Recommendation
from agents.assistant.catalogue import Catalogue
from agents.assistant.checking import Checker
from agents.assistant.judging import Judge
from agents.assistant.knowing import check_known
from agents.assistant.policy import Choice, Policy, in_words
from agents.assistant.reasoning import CANDIDATES, Reasoner
from agents.assistant.reference import Reference
from agents.assistant.request import Edit, Premise, Request, Wish
from agents.assistant.retrieval import Found, retrieve
from agents.assistant.say import Speaker, spoken_reasoning
from agents.assistant.second_reading import (
    Comparison,
    SecondReader,
    SecondReading,
    printable,
)
from agents.assistant.understanding.understand import Understanding, Understood
from agents.assistant.wording import Wording
from data_engine.errors import RerecError

Json = Mapping[str, Any]


class DialogueState(TypedDict, total=False):
    """text, edits: what a person says and changes in this turn. request: the state before it, then
    after it. k: items to show where the person does not say. query: the request in words. second:
    how a language model reads the text. found, reasoning, recommendations, answer: see the steps
    that make them.
    """

    text: str
    edits: list[Json]
    user: str | None
    k: int
    request: Json
    act: Act
    about: Json
    told: list[Json]
    query: str
    second: Json | None
    found: Json
    reasoning: Json | None
    recommendations: list[Json]
    answer: Json


class Steps:
    """The steps over one catalogue; each takes the state and gives the parts of it that change."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue, graph = catalogue, catalogue.graph
        self.understanding = Understanding(graph, catalogue.folder)
        self._wording = Wording(graph, catalogue.domain)
        self._checker = Checker(catalogue, self._wording)
        self._speaker = Speaker(graph, self._wording)
        self.reference = Reference(catalogue, self.understanding.names)
        self._comparison = Comparison(graph, self.reference, self._wording)
        self._reader: SecondReader | None = None
        self._reasoner: Reasoner | None = None

    @property
    def reasons(self) -> bool:
        """Whether there is a policy, which has thoughts to tell."""
        return self._reasoner is not None

    def read_with(self, reader: SecondReader) -> None:
        """Have a language model read the messages too from now on."""
        self._reader = reader

    def reason_with(self, policy: Policy, seconds: float) -> None:
        """Have a policy reason over the candidates from now on, for so many seconds at most."""
        judge = Judge(self._catalogue.graph, self._wording, self.understanding.titled)
        self._reasoner = Reasoner(policy, judge, seconds)

    @property
    def size(self) -> int:
        """The items of the catalogue."""
        return self._catalogue.graph.size

    def title(self, item: str) -> str:
        """The title of an item. Raises DataError for an unknown id."""
        self._catalogue.place(item)
        return self._wording.title(item)

    def explain(self, item: str, text: str) -> Answer:
        """One item held against what a message asks for. Raises DataError for an unknown id."""
        self._catalogue.place(item)
        request = self.understanding.understand(text).request
        request = request.model_copy(update={"shown": (item,)})
        about: Json = {"items": [item], "relations": [], "matching": 0, "relaxations": []}
        told = [_json(premise) for premise in request.premises]
        state: DialogueState = {"request": _json(request), "act": "why", "told": told}
        state["found"] = about
        state.update(self.check(state))
        return Answer.model_validate(self.answer(state)["answer"])

    def check_known(self, request: Request, edits: Sequence[Edit]) -> None:
        """Raise DataError where a state or an edit speaks of what the catalogue does not have."""
        check_known(self._catalogue.graph, request, edits)

    def understand(self, state: DialogueState) -> DialogueState:
        """The request after the edits and words of this turn, and what the words do."""
        request = Request.model_validate(state.get("request") or {})
        for edit in state.get("edits") or ():
            request = request.edited(Edit.model_validate(edit))
        text = state.get("text") or ""
        if not text:
            request = request.model_copy(update={"not_understood": ()})
            nothing: DialogueState = {"act": "ask", "told": [], "query": "", "second": None}
            return {**nothing, "request": _json(request)}
        understood = self.understanding.understand(text, request)
        about = {"items": understood.items, "relations": understood.relations}
        told = [_json(one) for one in understood.request.premises if one not in request.premises]
        query = text if request.is_empty else in_words(understood.request, self._wording)
        changed: DialogueState = {"request": _json(understood.request), "act": understood.act}
        second = self._read_too(text, request, understood)
        return {**changed, "about": about, "told": told, "query": query, "second": second}

    def _read_too(self, text: str, before: Request, understood: Understood) -> Json | None:
        """How a language model reads the same message, where one is asked; it changes nothing."""
        reader = self._reader
        if reader is None or understood.act in ("why", "who"):
            return None
        try:
            said = reader.read(text, before.conditions, self.reference.relations)
        except RerecError as error:
            problem = " ".join(printable(str(error)).split())
            return _json(SecondReading(model=reader.name, problem=problem))
        return _json(self._comparison.compare(reader.name, said, understood.request))

    def retrieve(self, state: DialogueState) -> DialogueState:
        """The items to show: new ones, or for "why" and "who" those of the last answer."""
        request, act = Request.model_validate(state["request"]), state["act"]
        if act in ("why", "who"):
            return {"found": {**state["about"], "matching": 0, "relaxations": []}, "query": ""}
        if act != "more":
            request = request.model_copy(update={"offered": ()})
        k = request.k or state["k"]
        most = max(k, CANDIDATES) if self._reasoner else k
        found = retrieve(self._catalogue, request, state.get("user"), most)
        shown = found.items[:k]
        offered = tuple(dict.fromkeys((*request.offered, *shown)))
        request = request.model_copy(update={"shown": shown, "offered": offered})
        return {"found": _found(found, k), "request": _json(request)}

    def reason(self, state: DialogueState, writer: StreamWriter) -> DialogueState:
        """What the policy makes of the best candidates, where there is one and words to reason
        about; `writer` is given its thoughts. It changes neither request nor found items.
        """
        query, found = state.get("query"), state["found"]
        if self._reasoner is None or not query or not found["candidates"]:
            return {"reasoning": None}
        request, candidates = Request.model_validate(state["request"]), tuple(found["candidates"])
        choice = Choice(
            query=query,
            conditions=request.conditions,
            anchors=request.anchors,
            candidates=candidates,
        )
        reasoning, named = self._reasoner.reason(choice, request, writer)
        if not named:
            return {"reasoning": _json(reasoning)}
        order = dict.fromkeys((*named, *candidates))
        ranking = tuple(self._checker.recommendation(item, request) for item in order)
        return {"reasoning": _json(reasoning.model_copy(update={"ranking": ranking}))}

    def check(self, state: DialogueState) -> DialogueState:
        """Every item with a row per condition, held against the graph."""
        request = Request.model_validate(state["request"])
        items = state["found"]["items"]
        return {"recommendations": [_json(self._checker.recommendation(i, request)) for i in items]}

    def answer(self, state: DialogueState) -> DialogueState:
        """All of it in records and in sentences."""
        request, found = Request.model_validate(state["request"]), state["found"]
        recommendations = tuple(map(Recommendation.model_validate, state["recommendations"]))
        asked = tuple(self._asked(n, wish) for n, wish in enumerate(request.wishes, 1))
        told = tuple(map(Premise.model_validate, state["told"]))
        answer = self._speaker.answer(state["act"], request, told, recommendations, asked, found)
        if state.get("second"):
            answer = self._with_second(answer, SecondReading.model_validate(state["second"]))
        if state.get("reasoning"):
            reasoning = Reasoning.model_validate(state["reasoning"])
            summary = tuple(spoken_reasoning(reasoning))
            reasoning = reasoning.model_copy(update={"summary": summary})
            text = "\n".join((answer.text, *summary))
            answer = answer.model_copy(update={"text": text, "reasoning": reasoning})
        return {"answer": _json(answer)}

    def _with_second(self, answer: Answer, second: SecondReading) -> Answer:
        """The answer that asks, too, where a language model reads the message otherwise."""
        asked = tuple(self._comparison.questions(second, answer.state))
        text = "\n".join((answer.text, *(question.text for question in asked)))
        return answer.model_copy(update={"text": text, "questions": (*answer.questions, *asked)})

    def _asked(self, number: int, wish: Wish) -> Asked:
        return Asked(
            number=number,
            text=self._wording.wish(wish),
            condition=wish.condition,
            holders=self._holders(wish),
        )

    def _holders(self, wish: Wish) -> int:
        if wish.condition.op == "not":
            met = [self._catalogue.graph.met(c) for c in wish.readings]
            return int(np.count_nonzero(np.logical_and.reduce(met)))
        met = [self._catalogue.graph.met(c) for c in (wish.condition, *wish.any_of)]
        return int(np.count_nonzero(np.logical_or.reduce(met)))


def _json(record: Any) -> Json:
    found: Json = record.model_dump(mode="json")
    return found


def _found(found: Found, k: int) -> Json:
    """What was found: k items to show, and those that a policy chooses from."""
    return {
        "items": list(found.items[:k]),
        "candidates": list(found.items[:CANDIDATES]),
        "matching": found.matching,
        "relaxations": [[list(drop), remaining] for drop, remaining in found.relaxations],
    }
