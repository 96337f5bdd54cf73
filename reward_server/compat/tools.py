"""The look-ups as tools that a model may call: their arguments, and how they are described to it.

A model knows titles, not ids, so `among` are titles here.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from reward_server.wire import MOST_NAME, MOST_TITLE, Look

Shape = Literal["chat", "responses"]
Relation = Annotated[str, Meta(max_length=MOST_NAME, description="What to look up.")]
Title = Annotated[str, Meta(max_length=MOST_TITLE)]


class LookupArguments(msgspec.Struct, frozen=True, gc=False):
    """Say what an item has for a relation, such as its director."""

    item: Annotated[str, Meta(max_length=MOST_TITLE, description="A title, in full.")]
    relation: Relation

    def look(self) -> Look:
        """The look-up that is asked for."""
        return Look("lookup", self.relation, item=self.item)


class HoldersArguments(msgspec.Struct, frozen=True, gc=False):
    """Say which of some items have a value for a relation, such as a certain director."""

    relation: Relation
    value: Annotated[str, Meta(max_length=MOST_TITLE, description="A value, spelt as it is.")]
    among: Annotated[
        list[Title], Meta(max_length=1000, description="The titles to choose from, in full.")
    ]

    def look(self) -> Look:
        """The look-up that is asked for."""
        return Look("holders", self.relation, value=self.value, among=self.among)


TOOLS: dict[str, type[LookupArguments] | type[HoldersArguments]] = {
    "lookup": LookupArguments,
    "holders": HoldersArguments,
}


def tool_schemas(relations: Sequence[str], shape: Shape = "chat") -> list[dict[str, Any]]:
    """JSON schemas of the tools, as a request to a model takes them.

    relations: those of the graph; the model may choose among them. shape: of the Chat Completions
    API, or of the Responses API.
    """
    found: list[dict[str, Any]] = []
    for name, arguments in TOOLS.items():
        schema = msgspec.json.schema(arguments)["$defs"][arguments.__name__]
        properties = schema["properties"]
        properties["relation"]["enum"] = list(relations)
        function: dict[str, Any] = {
            "name": name,
            "description": schema["description"],
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
        }
        if shape == "chat":
            found.append({"type": "function", "function": function})
        else:
            found.append({"type": "function", **function, "strict": True})
    return found
