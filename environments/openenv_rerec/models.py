"""What a policy sends and sees."""

from typing import Literal

from openenv.core.env_server.types import Action, Observation
from pydantic import Field


class RerecAction(Action):
    """The response, which ends the episode, or a look-up in the graph."""

    tool: Literal["respond", "lookup", "holders"] = "respond"
    response: str = Field("", max_length=32_768, description="respond: the whole response")
    relation: str = Field("", max_length=200, description="lookup, holders: such as director")
    item: str = Field("", max_length=1000, description="lookup: a title, in full")
    value: str = Field("", max_length=1000, description="holders: a value, spelt as it is")


class RerecObservation(Observation):
    """The query at first, then what look-ups find; with the reward at the end."""

    messages: list[dict[str, str]] = Field(default_factory=list, description="the query, as a chat")
    found: list[str] = Field(default_factory=list, description="what a look-up found")
    problem: str = Field("", description="why it found nothing")
    parts: dict[str, float] = Field(default_factory=dict, description="parts of the reward")
