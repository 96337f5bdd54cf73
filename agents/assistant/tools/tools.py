"""The tools over one assistant: each answers in plain text, within bounds, and changes nothing."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from agents.assistant.answer import ConditionRow
from agents.assistant.assistant import Assistant
from agents.assistant.tools.arguments import (
    TOOLS,
    Arguments,
    Explain,
    Holders,
    Lookup,
    Recommend,
    ResolveTitle,
    schema_of,
)
from agents.assistant.wording import capital
from data_engine.errors import DataError
from data_engine.http.mcp_server import Tool, ToolResult

MOST_CHARACTERS = 20_000  # of an answer
MOST_VALUES = 100
BOUND = f"The answer has at most {MOST_CHARACTERS:,} characters."
VERDICTS = {"met": "met", "missed": "missed", "unknown": "not known"}


class Tools:
    """What the tools are, and what they answer."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant, self._reference = assistant, assistant.reference
        self._answers: dict[type[Arguments], Callable[[Any], Iterator[str]]] = {
            Recommend: self._recommend,
            Explain: self._explain,
            Lookup: self._lookup,
            Holders: self._holders,
            ResolveTitle: self._resolve_title,
        }

    def describe(self) -> Iterator[Tool]:
        """The tools, as a model is told of them."""
        for name, arguments in TOOLS.items():
            told = " ".join((arguments.__doc__ or "").split())
            schema = schema_of(arguments, self._reference.relations)
            yield Tool(name, f"{told} {BOUND}", schema)

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """As `answer`, without holding up other calls."""
        return await asyncio.to_thread(self.answer, name, arguments)

    def answer(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """What a model reads; of a call that cannot be answered, why."""
        if name not in TOOLS:
            return ToolResult(f"no tool {name[:50]!r}: choose from {', '.join(TOOLS)}", True)
        try:
            asked = TOOLS[name].model_validate(arguments)
            text = "\n".join(self._answers[type(asked)](asked))
        except ValidationError as error:
            return ToolResult(_first_problem(error), True)
        except DataError as error:
            return ToolResult(str(error), True)
        if len(text) > MOST_CHARACTERS:
            text = f"{text[: MOST_CHARACTERS - 20]}… (cut short)"
        return ToolResult(text)

    def _recommend(self, asked: Recommend) -> Iterator[str]:
        yield self._assistant.answer(asked.request, k=asked.k).text

    def _explain(self, asked: Explain) -> Iterator[str]:
        answer = self._assistant.explain(self._reference.item(asked.item), asked.request)
        if not answer.conditions:
            raise DataError(
                f"no condition was understood in {asked.request[:100]!r}: "
                "say what is wanted, as in 'a comedy from the 80s'"
            )
        (one,) = answer.recommendations
        met = sum(row.verdict == "met" for row in one.rows)
        yield f"{one.title}: {one.about}."
        yield f"It meets {met} of {len(one.rows)} conditions:"
        yield from map(_row, one.rows)
        yield from (correction.text for correction in answer.corrections)
        yield from (question.text for question in answer.questions)

    def _lookup(self, asked: Lookup) -> Iterator[str]:
        item = self._reference.item(asked.item)
        found = self._reference.values(item, asked.relation)
        if not found:
            title = self._assistant.title(item)
            yield f"The catalogue does not record {asked.relation} for {title}."
        yield from found[:MOST_VALUES]
        if len(found) > MOST_VALUES:
            yield f"… and {len(found) - MOST_VALUES} more"

    def _holders(self, asked: Holders) -> Iterator[str]:
        found = self._reference.holders(asked.relation, asked.value)
        yield f"{_counted(len(found))} {asked.relation} {asked.value}:"
        yield from map(self._assistant.title, found[: asked.k])
        if len(found) > asked.k:
            yield f"… and {len(found) - asked.k:,} more"

    def _resolve_title(self, asked: ResolveTitle) -> Iterator[str]:
        found = self._reference.items(asked.title)
        if not found:
            raise DataError(f"{asked.title[:100]!r} is no item here")
        for item in found[: asked.k]:
            yield f"{self._assistant.title(item)} (id {item})"
        if len(found) > asked.k:
            yield f"… and {len(found) - asked.k:,} more"


def _row(row: ConditionRow) -> str:
    """ "1. Directed by Ridley Scott: missed (directed by Michael Mann)"."""
    fact = "" if row.fact == row.text else f" ({row.fact})"
    return f"{row.number}. {capital(row.text)}: {VERDICTS[row.verdict]}{fact}"


def _counted(count: int) -> str:
    return "1 item has" if count == 1 else f"{count:,} items have"


def _first_problem(error: ValidationError) -> str:
    """ "relation: Field required"."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
