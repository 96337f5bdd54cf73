"""Answers that are JSON objects of a given form: their schema, reading and repair."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from agents.llm.request import Message

REPAIRS = 2
_REPAIR = "That is no JSON object of the form {form} ({error}). Answer with that object alone."


@cache
def response_format(form: type[BaseModel]) -> dict[str, Any]:
    """The `response_format` that asks for a `form`."""
    return {
        "type": "json_schema",
        "json_schema": {
            "name": form.__name__.lower(),
            "schema": form.model_json_schema(),
            "strict": True,
        },
    }


def object_in(text: str) -> str:
    """The outermost braces and all between them: models like to talk around their JSON."""
    return text[text.find("{") : text.rfind("}") + 1] or text


def repair(form: type[BaseModel], text: str, error: ValidationError) -> tuple[Message, Message]:
    """The model's answer that was no `form`, and the request to mend it."""
    problem = f"{error.errors()[0]['msg']}"[:200]
    fields = f"{{{', '.join(form.model_fields)}}}"
    return (
        {"role": "assistant", "content": text[:4000]},
        {"role": "user", "content": _REPAIR.format(form=fields, error=problem)},
    )
