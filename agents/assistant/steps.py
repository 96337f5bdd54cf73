"""The steps of an answer, one per node of the graph: understand, retrieve, check, answer.

What passes between them is JSON, so that a checkpoint of it needs no pickle.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from agents.assistant.answer import Act, Answer, Asked, Recommendation
from agents.assistant.catalogue import Catalogue
from agents.assistant.checking import Checker
from agents.assistant.knowing import check_known
from agents.assistant.reference import Reference
from agents.assistant.request import Edit, Premise, Request, Wish
from agents.assistant.retrieval import Found, retrieve
from agents.assistant.say import Speaker
from agents.assistant.understanding.understand import Understanding
from agents.assistant.wording import Wording

Json = Mapping[str, Any]


class DialogueState(TypedDict, total=False):
    """text, edits: what a person says and changes in this turn. request: the state before it, then
    after it. k: items to show where the person does not say. found, recommendations, answer: see
    the steps that make them.
    """

    text: str
    edits: list[Json]
    user: str | None
    k: int
    request: Json
    act: Act
    about: Json
    told: list[Json]
    found: Json
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
        text, known = state.get("text") or "", request.premises
        if not text:
            request = request.model_copy(update={"not_understood": ()})
            return {"request": _json(request), "act": "ask", "told": []}
        understood = self.understanding.understand(text, request)
        about = {"items": understood.items, "relations": understood.relations}
        told = [_json(one) for one in understood.request.premises if one not in known]
        changed: DialogueState = {"request": _json(understood.request), "act": understood.act}
        return {**changed, "about": about, "told": told}

    def retrieve(self, state: DialogueState) -> DialogueState:
        """The items to show: new ones, or for "why" and "who" those of the last answer."""
        request, act = Request.model_validate(state["request"]), state["act"]
        if act in ("why", "who"):
            return {"found": {**state["about"], "matching": 0, "relaxations": []}}
        if act != "more":
            request = request.model_copy(update={"offered": ()})
        k = request.k or state["k"]
        found = retrieve(self._catalogue, request, state.get("user"), k)
        offered = tuple(dict.fromkeys((*request.offered, *found.items)))
        request = request.model_copy(update={"shown": found.items, "offered": offered})
        return {"found": _found(found), "request": _json(request)}

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
        return {"answer": _json(answer)}

    def _asked(self, number: int, wish: Wish) -> Asked:
        return Asked(
            number=number,
            text=self._wording.wish(wish),
            condition=wish.condition,
            holders=self._holders(wish),
        )

    def _holders(self, wish: Wish) -> int:
        met = [self._catalogue.graph.met(c) for c in (wish.condition, *wish.any_of)]
        return int(np.count_nonzero(np.logical_or.reduce(met)))


def _json(record: Any) -> Json:
    found: Json = record.model_dump(mode="json")
    return found


def _found(found: Found) -> Json:
    relaxations = [[list(drop), remaining] for drop, remaining in found.relaxations]
    return {"items": list(found.items), "matching": found.matching, "relaxations": relaxations}
