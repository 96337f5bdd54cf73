"""Recommended items held against the graph: a row per condition, and why the item is there."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from agents.assistant.answer import ConditionRow, Recommendation
from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Request, Wish
from agents.assistant.wording import Wording, joined
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.spoken import spoken_title
from data_engine.schema import Condition

MAIN = ("director", "author", "artist", "starring", "genre", "year")  # told of an item
PARTS = 4  # facts in a sentence
FEW = 3  # holders of a value that is rare in any catalogue
LIKENESSES = 2  # liked items that a reason names
ITEMS = 65_536  # whose main facts are kept as a sentence
SHARED = 2  # values that are told to be shared with an item that was liked


class Checker:
    """Checks items of one catalogue."""

    def __init__(self, catalogue: Catalogue, wording: Wording) -> None:
        self._graph, self._wording = catalogue.graph, wording
        known = [r for r in catalogue.graph.relations if r != AUDIENCE]
        self._main = [r for r in MAIN if r in known] or known[:3]
        self._told = lru_cache(ITEMS)(self.about)
        self._untold = {AUDIENCE, *catalogue.graph.numeric}  # no likeness that a person would name

    def recommendation(self, item: str, request: Request) -> Recommendation:
        """An item with its rows and the sentence that they come to."""
        rows = tuple(self._row(item, n, wish) for n, wish in enumerate(request.wishes, 1))
        return Recommendation(
            item=item,
            title=self._wording.title(item),
            reason="; ".join(self._reasons(item, rows, request)),
            about=self._told(item),
            rows=rows,
        )

    def about(self, item: str, first: Sequence[Condition] = ()) -> str:
        """The main facts of an item, those that the conditions `first` speak of before others."""
        relations = dict.fromkeys((*(condition.relation for condition in first), *self._main))
        values = {condition.value for condition in first}
        parts = [self._wording.part(item, relation, values) for relation in relations]
        return ", ".join(list(filter(None, parts))[: max(PARTS, len(first))])

    def _row(self, item: str, number: int, wish: Wish) -> ConditionRow:
        """The row of a wish: by the reading that the item meets, if there is one."""
        readings = wish.readings
        verdicts = [self._graph.judge(item, condition) for condition in readings]
        # Any reading will do; of what is denied all must be met, so that the worst one counts.
        telling = (False, None) if readings[0].op == "not" else (True,)
        best = next((verdicts.index(one) for one in telling if one in verdicts), 0)
        condition, verdict = readings[best], verdicts[best]
        if verdict and condition.op == "is":
            fact = self._wording.condition(condition)
        else:
            fact = self._wording.part(item, condition.relation)
        return ConditionRow(
            number=number,
            text=self._wording.wish(wish),
            verdict="unknown" if verdict is None else "met" if verdict else "missed",
            fact=fact or self._wording.not_known(condition.relation),
        )

    def _reasons(self, item: str, rows: Sequence[ConditionRow], request: Request) -> Iterator[str]:
        """What the item is, what it has in common with the liked ones, what it misses."""
        asked = [wish.condition for wish in request.wishes]
        met = [asked[row.number - 1] for row in rows if row.verdict == "met"]
        yield self.about(item, [condition for condition in met if condition.relation != AUDIENCE])
        groups = [row.fact for row in rows if asked[row.number - 1].relation == AUDIENCE]
        yield from dict.fromkeys(groups)
        if request.anchors:
            yield from self._likeness(item, request)
        missed = [_denied(row.text) for row in rows if row.verdict == "missed"]
        unknown = [f"it is {row.fact}" for row in rows if row.verdict == "unknown"]
        if missed or unknown:
            yield f"but {joined([*missed, *unknown])}"

    def _likeness(self, item: str, request: Request) -> Iterator[str]:
        """ "as in Heat: directed by Michael Mann, starring Al Pacino", the rarest value first;
        without what was asked for anyhow.
        """
        asked = {condition.value for condition in request.conditions}
        for anchor in request.anchors[-LIKENESSES:]:
            shared = self._graph.edges(item) & self._graph.edges(anchor)
            rarest = sorted(shared, key=lambda code: (len(self._graph.holding(code)), code))
            told = [self._graph.edge(code) for code in rarest if self._is_rare(code)]
            new = [(r, v) for r, v in told if r not in self._untold and v not in asked][:SHARED]
            if new:
                said = self._wording.values(new)
                yield f"as in {spoken_title(self._graph.title(anchor))}: {', '.join(said)}"

    def _is_rare(self, code: int) -> bool:
        """Whether a value says something of an item: one that a tenth of all have does not."""
        return len(self._graph.holding(code)) <= max(FEW, self._graph.size // 10)


def _denied(text: str) -> str:
    """ "not directed by X", or "comedy" of "not comedy"."""
    return text.removeprefix("not ") if text.startswith("not ") else f"not {text}"
