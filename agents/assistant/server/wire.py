"""What is sent to the assistant and what comes back, beside the records of an answer."""

from typing import Annotated

from pydantic import Field

from agents.assistant.answer import Answer, Edit, Message, Thought
from agents.assistant.assistant import LONGEST, K
from agents.assistant.request import Request
from agents.assistant.server.config import MOST_EDITS, MOST_MESSAGES
from data_engine.schema import Record

Text = Annotated[str, Field(max_length=LONGEST)]
Edits = Annotated[tuple[Edit, ...], Field(max_length=MOST_EDITS)]
Shown = Annotated[int, Field(ge=1, le=100)]
UserId = Annotated[str, Field(max_length=200)]


class Recommend(Record):
    """A question of its own. text: the message. messages: the dialogue before it, since `state`
    where that is given, the one of an answer before. edits: changes by hand. user: whose history
    counts. k: items to show where the person does not say.
    """

    text: Text = ""
    messages: Annotated[tuple[Message, ...], Field(max_length=MOST_MESSAGES)] = ()
    edits: Edits = ()
    user: UserId | None = None
    state: Request | None = None
    k: Shown = K


class Say(Record):
    """What a person says or changes in a kept conversation."""

    text: Text = ""
    edits: Edits = ()
    user: UserId | None = None
    k: Shown = K


class Opinion(Record):
    """Whether an item of a conversation was liked."""

    item: Annotated[str, Field(max_length=1000)]
    liked: bool
    user: UserId | None = None
    k: Shown = K


class Turn(Record):
    """One turn of a kept conversation. titles: of the items that its state names, by id."""

    text: str
    answer: Answer
    titles: dict[str, str]


class Event(Record):
    """One line of a stream: a thought of the policy, or, last, the turn."""

    thought: Thought | None = None
    turn: Turn | None = None


class Conversation(Record):
    """The last turns of a kept conversation, oldest first."""

    turns: tuple[Turn, ...]


class Failure(Record):
    """Why a request was refused, as the OpenAI API says it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Problem(Record):
    """The body of a refusal."""

    error: Failure
