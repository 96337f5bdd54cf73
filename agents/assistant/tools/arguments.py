"""The arguments of the tools, with their limits, as a model is told of them."""

from typing import Annotated, Any

from pydantic import Field

from agents.assistant.assistant import LONGEST
from data_engine.schema import Record

MOST_NAME = 500  # characters
MOST_SHOWN = 50  # items of an answer
Request = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST,
        description="What is wanted, in plain English: 'a comedy from the 80s, not starring X'.",
    ),
]
Title = Annotated[
    str,
    Field(
        max_length=MOST_NAME, description="A title, best with its year: 'Heat (1995)'; or an id."
    ),
]
Relation = Annotated[str, Field(max_length=MOST_NAME, description="What is looked up.")]
Shown = Annotated[int, Field(ge=1, le=MOST_SHOWN, description="Items to show, at most.")]


class Recommend(Record):
    """Recommend items of the whole catalogue for a request. Each has the facts that meet it; where
    nothing meets all of it, the closest are shown with what they miss and which conditions to drop.
    False statements about an item are corrected.
    """

    request: Request
    k: Shown = 10


class Explain(Record):
    """Say why an item meets or misses a request: condition by condition, with the fact of the
    catalogue that says so.
    """

    item: Title
    request: Request


class Lookup(Record):
    """Say what the catalogue knows of an item, such as its director."""

    item: Title
    relation: Relation


class Holders(Record):
    """List the items that have a value, such as the films of a director, best liked first."""

    relation: Relation
    value: Annotated[
        str, Field(max_length=MOST_NAME, description="A name or a number: 'Al Pacino', '1995'.")
    ]
    k: Shown = 20


class ResolveTitle(Record):
    """List the items that a title may mean, each with its id, best liked first."""

    title: Title
    k: Shown = 10


Arguments = Recommend | Explain | Lookup | Holders | ResolveTitle
TOOLS: dict[str, type[Arguments]] = {
    "recommend": Recommend,
    "explain": Explain,
    "lookup": Lookup,
    "holders": Holders,
    "resolve_title": ResolveTitle,
}


def schema_of(arguments: type[Arguments], relations: tuple[str, ...]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments; a relation is one of those given."""
    schema = arguments.model_json_schema()
    properties = schema["properties"]
    for described in properties.values():
        described.pop("title")
    if "relation" in properties:
        properties["relation"]["enum"] = list(relations)
    return {
        "type": "object",
        "properties": properties,
        "required": schema["required"],
        "additionalProperties": False,
    }
