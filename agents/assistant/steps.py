"""The steps of an answer, one per node of the graph: understand, retrieve, check, answer.

What passes between them is JSON, so that a checkpoint of it needs no pickle.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from agents.assistant.answer import Act, Asked, ConditionRow, Recommendation
from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Edit, Request, Wish
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
    found: Json
    recommendations: list[Json]
    answer: Json


class Steps:
    """The steps over one catalogue; each takes the state and gives the parts of it that change."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue, graph = catalogue, catalogue.graph
        self.understanding = Understanding(graph, catalogue.folder)
        self._wording = Wording(graph, catalogue.domain)
        self._speaker = Speaker(catalogue, self._wording)

    @property
    def size(self) -> int:
        """The items of the catalogue."""
        return self._catalogue.graph.size

    def title(self, item: str) -> str:
        """The title of an item. Raises DataError for an unknown id."""
        self._catalogue.place(item)
        return self._wording.title(item)

    def understand(self, state: DialogueState) -> DialogueState:
        """The request after the edits and words of this turn, and what the words do."""
        request = Request.model_validate(state.get("request") or {})
        for edit in state.get("edits") or ():
            request = request.edited(Edit.model_validate(edit))
        text = state.get("text") or ""
        if not text:
            request = request.model_copy(update={"not_understood": ()})
            return {"request": _json(request), "act": "ask"}
        understood = self.understanding.understand(text, request)
        return {"request": _json(understood.request), "act": understood.act}

    def retrieve(self, state: DialogueState) -> DialogueState:
        """The items to show: new ones, or for "why" and "who" those of the last answer."""
        request, act = Request.model_validate(state["request"]), state["act"]
        if act in ("why", "who"):
            return {"found": {"items": list(request.shown), "matching": 0, "relaxations": []}}
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
        return {"recommendations": [_json(self._recommend(item, request)) for item in items]}

    def answer(self, state: DialogueState) -> DialogueState:
        """All of it in records and in sentences."""
        request, found = Request.model_validate(state["request"]), state["found"]
        recommendations = tuple(map(Recommendation.model_validate, state["recommendations"]))
        asked = tuple(self._asked(n, wish) for n, wish in enumerate(request.wishes, 1))
        answer = self._speaker.answer(state["act"], request, recommendations, asked, found)
        return {"answer": _json(answer)}

    def _recommend(self, item: str, request: Request) -> Recommendation:
        rows = tuple(self._row(item, n, wish) for n, wish in enumerate(request.wishes, 1))
        return self._speaker.recommendation(item, rows, request)

    def _row(self, item: str, number: int, wish: Wish) -> ConditionRow:
        """The row of a wish: by the reading that the item meets, if there is one."""
        graph, wording = self._catalogue.graph, self._wording
        readings = (wish.condition, *wish.alternatives)
        verdicts = [graph.judge(item, condition) for condition in readings]
        best = verdicts.index(True) if True in verdicts else 0
        condition, verdict = readings[best], verdicts[best]
        known = wording.part(item, condition.relation, condition.value)
        return ConditionRow(
            number=number,
            text=wording.condition(wish.condition),
            verdict="unknown" if verdict is None else "met" if verdict else "missed",
            fact=known or wording.not_known(condition.relation),
        )

    def _asked(self, number: int, wish: Wish) -> Asked:
        return Asked(
            number=number,
            text=self._wording.condition(wish.condition),
            condition=wish.condition,
            holders=int(self._catalogue.graph.met(wish.condition).sum()),
        )


def _json(record: Any) -> Json:
    found: Json = record.model_dump(mode="json")
    return found


def _found(found: Found) -> Json:
    relaxations = [[list(drop), remaining] for drop, remaining in found.relaxations]
    return {"items": list(found.items), "matching": found.matching, "relaxations": relaxations}
