"""An answer in sentences: what was found and why, what was corrected, what must be asked back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.assistant.answer import (
    Act,
    Answer,
    Asked,
    ConditionRow,
    Recommendation,
    Relaxation,
)
from agents.assistant.catalogue import Catalogue
from agents.assistant.request import Request
from agents.assistant.understanding.asking_back import questions
from agents.assistant.wording import Wording, capital, joined
from data_engine.graphs.audience import RELATION as AUDIENCE

MAIN = ("director", "author", "artist", "starring", "genre", "year")  # told of an item


class Speaker:
    """Puts the answers over one catalogue into words."""

    def __init__(self, catalogue: Catalogue, wording: Wording) -> None:
        self._catalogue, self._wording = catalogue, wording
        known = [r for r in catalogue.graph.relations if r != AUDIENCE]
        self._main = [r for r in MAIN if r in known] or known[:3]

    def recommendation(
        self, item: str, rows: tuple[ConditionRow, ...], request: Request
    ) -> Recommendation:
        """An item with its rows and the sentence that they come to."""
        return Recommendation(
            item=item,
            title=self._wording.title(item),
            reason=self._reason(item, rows, request),
            about=self._wording.about(item, self._main),
            rows=rows,
        )

    def answer(
        self,
        act: Act,
        request: Request,
        recommendations: tuple[Recommendation, ...],
        asked: tuple[Asked, ...],
        found: Mapping[str, Any],
    ) -> Answer:
        """The whole answer."""
        corrections = tuple(map(self._wording.correction, request.premises))
        relaxations = tuple(_relaxation(one, asked, self._wording) for one in found["relaxations"])
        back = tuple(questions(request, self._catalogue.graph))
        lines = [correction.text for correction in corrections]
        lines += self._body(act, recommendations, asked, found["matching"])
        lines += [relaxation.text for relaxation in relaxations]
        lines += [question.text for question in back]
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

    def _body(
        self,
        act: Act,
        recommendations: Sequence[Recommendation],
        asked: Sequence[Asked],
        matching: int,
    ) -> Iterator[str]:
        wanted = ", ".join(one.text for one in asked)
        if act == "ask" or act == "more":
            if not recommendations:
                yield f"I have no other {self._wording.thing} to show."
                return
            if not asked:
                yield f"{capital(self._wording.counted(len(recommendations)))} to your taste:"
            elif matching:
                verb = "fits" if matching == 1 else "fit"
                yield f"{capital(self._wording.counted(matching))} {verb} ({wanted}):"
            else:
                yield f"No {self._wording.thing} is known to fit all of it ({wanted}). The closest:"
        for n, one in enumerate(recommendations, 1):
            yield f"{n}. {one.title}: {one.reason}"

    def _reason(self, item: str, rows: Sequence[ConditionRow], request: Request) -> str:
        met = [row.fact for row in rows if row.verdict == "met"]
        missed = [f"not {row.text} but {row.fact}" for row in rows if row.verdict == "missed"]
        unknown = [row.fact for row in rows if row.verdict == "unknown"]
        parts = [", ".join(dict.fromkeys(part)) for part in (met, missed, unknown) if part]
        if parts:
            return "; ".join(parts)
        return self._wording.about(item, self._main)


def _relaxation(one: Sequence[Any], asked: Sequence[Asked], wording: Wording) -> Relaxation:
    drop, remaining = one
    said = joined([f"“{asked[n].text}”" for n in drop])
    text = f"Without {said}, {wording.counted(remaining)} would fit."
    return Relaxation(drop=tuple(n + 1 for n in drop), remaining=remaining, text=text)
