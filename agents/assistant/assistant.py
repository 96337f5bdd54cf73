"""`Assistant`: questions about one store answered, each word of the answer held against it."""

from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from agents.assistant.answer import Answer, Message, readable
from agents.assistant.catalogue import Catalogue
from agents.assistant.graph import build_graph
from agents.assistant.policy import Policy
from agents.assistant.reasoning import SECONDS, Listen, ignore_thought
from agents.assistant.reference import Reference
from agents.assistant.request import Edit, Request
from agents.assistant.second_reading import SecondReader
from agents.assistant.steps import DialogueState, Json, Steps
from data_engine.errors import DataError

if TYPE_CHECKING:
    from agents.assistant.checkpoints import Checkpoints

LONGEST = 4000  # characters of a message
LONGEST_ANSWER = 40_000  # of one of the assistant's
K = 10
LOCKS = 64


class Assistant:
    """Answers over one store, which is read once. With `checkpoints` (a SQLite file, or a
    postgresql:// URL) conversations are kept, and go on after a restart; close it then, or use a
    `with` block.

    Raises DataError where the store is missing or holds no catalogue.
    """

    def __init__(self, store: Path | str, *, checkpoints: Path | str | None = None) -> None:
        self._steps = Steps(Catalogue.load(store))
        self._graph = build_graph(self._steps)
        self._checkpoints: Checkpoints | None = None
        if checkpoints is not None:
            self.keep(checkpoints)
        self._locks = [RLock() for _ in range(LOCKS)]  # one message of a conversation at a time

    def keep(self, checkpoints: Path | str) -> None:
        """Keep conversations there from now on, in this process."""
        from agents.assistant.checkpoints import open_checkpoints

        self._checkpoints = open_checkpoints(checkpoints)
        self._threads = build_graph(self._steps, self._checkpoints.saver)

    def reason_with(self, policy: Policy, seconds: float = SECONDS) -> None:
        """Have a policy reason over the best candidates from now on, for so many seconds at most;
        the answers stay what they are, with its reasoning beside them.
        """
        self._steps.reason_with(policy, seconds)

    def read_with(self, reader: SecondReader) -> None:
        """Have a language model read the messages too from now on; where it reads them otherwise,
        the answers ask.
        """
        self._steps.read_with(reader)

    @property
    def size(self) -> int:
        """The items of the catalogue."""
        return self._steps.size

    @property
    def reference(self) -> Reference:
        """Look-ups in the catalogue by the names that people write."""
        return self._steps.reference

    def title(self, item: str) -> str:
        """The title of an item as it is spoken, with its year. Raises DataError for an unknown
        id.
        """
        return self._steps.title(item)

    def answer(
        self,
        messages: str | Sequence[Message] = (),
        *,
        edits: Sequence[Edit] = (),
        user: str | None = None,
        state: Request | None = None,
        k: int = K,
        listen: Listen = ignore_thought,
    ) -> Answer:
        """The answer to the last message, which is the person's.

        messages: one message, or all since `state` (the whole dialogue where there is none). edits:
        changes by hand, before the last message is read. user: whose history says what is liked and
        is not recommended again. k: items to show where the person does not say how many. listen:
        is given the thoughts of the policy as they come.
        Raises DataError for an unknown user or item, and for a message that is too long.
        """
        *before, last = _checked(messages) or [Message(role="user", content="")]
        request = state or Request()
        self._steps.check_known(request, edits)
        for message in before:
            request = self._after(message, request)
        given = _given(last.content, edits, user, k)
        given["request"] = request.model_dump(mode="json")
        return self._run(self._graph, given, None, listen)

    def explain(self, item: str, text: str) -> Answer:
        """Why an item meets or misses what a message asks for: the answer recommends that item
        alone, with a row per condition. Raises DataError for an unknown id, and for a message that
        is too long.
        """
        return self._steps.explain(item, _checked(text)[0].content)

    def reply(
        self,
        thread: str,
        text: str = "",
        *,
        edits: Sequence[Edit] = (),
        user: str | None = None,
        k: int = K,
        listen: Listen = ignore_thought,
    ) -> Answer:
        """As `answer`, in a conversation that is kept under the name `thread`. Raises NotKept
        where the database fails.
        """
        if self._checkpoints is None:
            raise DataError("conversations are kept only with checkpoints: name a file for them")
        said = _checked(text)[0].content
        self._steps.check_known(Request(), edits)
        with self.holding(thread), self._checkpoints.using():
            config = {"configurable": {"thread_id": thread}}
            return self._run(self._threads, _given(said, edits, user, k), config, listen)

    def state(self, thread: str) -> Request | None:
        """The state of a kept conversation, None where there is none of this name."""
        if self._checkpoints is None:
            return None
        with self._checkpoints.using():
            known = self._threads.get_state({"configurable": {"thread_id": thread}}).values
        return Request.model_validate(known["request"]) if known else None

    def turns(self, thread: str, most: int) -> list[tuple[str, Answer]]:
        """The last turns of a kept conversation, oldest first: what was said, and the answer."""
        if self._checkpoints is None:
            return []
        config = {"configurable": {"thread_id": thread}}
        with self._checkpoints.using():
            kept = [state.values for state in self._threads.get_state_history(config, limit=most)]
        turns = [values for values in reversed(kept) if "answer" in values]
        return [(turn["text"], Answer.model_validate(turn["answer"])) for turn in turns]

    def forget(self, thread: str) -> None:
        """Keep nothing of a conversation; an answer that is being given in it comes first."""
        if self._checkpoints is not None:
            with self.holding(thread), self._checkpoints.using():
                self._checkpoints.saver.delete_thread(thread)

    def holding(self, thread: str) -> RLock:
        """Held while a conversation is changed: nobody else changes it meanwhile."""
        return self._locks[hash(thread) % LOCKS]

    def heard(self, text: str, state: Request) -> Request:
        """The state after a message of the assistant that was not an answer of this object."""
        return self._steps.understanding.heard(text, state)

    def close(self) -> None:
        """Close the checkpoints."""
        if self._checkpoints is not None:
            self._checkpoints.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, graph: Any, given: DialogueState, config: Any, listen: Listen) -> Answer:
        """The answer of the graph, whose thoughts are listened to; what is kept of a conversation
        is kept once it is answered.
        """
        how = {"durability": "exit"} if config else {}
        if not self._steps.reasons:  # LangGraph streams with threads: half of an answer's time
            return Answer.model_validate(graph.invoke(given, config, **how)["answer"])
        last: DialogueState = {}
        for kind, part in graph.stream(given, config, stream_mode=["custom", "values"], **how):
            if kind == "custom":
                listen(part)
            else:
                last = part
        return Answer.model_validate(last["answer"])

    def _after(self, message: Message, request: Request) -> Request:
        """The state after a message of the dialogue that is not to be answered."""
        if message.role == "assistant":
            return self.heard(message.content, request)
        return self._steps.understanding.understand(message.content, request).request


def _given(text: str, edits: Sequence[Edit], user: str | None, k: int) -> DialogueState:
    """What a turn begins with. Raises DataError for a k that is too large."""
    if not 1 <= k <= 100:
        raise DataError(f"k {k}: choose from 1 to 100")
    changes: list[Json] = [edit.model_dump(mode="json") for edit in edits]
    return {"text": text, "edits": changes, "user": user, "k": k}


def _checked(messages: str | Sequence[Message]) -> list[Message]:
    """The messages as a list, of characters that can be kept and sent. Raises DataError where one
    is too long, or the last is not the person's.
    """
    if isinstance(messages, str):
        messages = [Message(role="user", content=readable(messages))]
    found = list(messages)
    for message in found:
        most = LONGEST if message.role == "user" else LONGEST_ANSWER
        if len(message.content) > most:
            raise DataError(
                f"a message of {len(message.content)} characters: at most {most} are read"
            )
    if found and found[-1].role != "user":
        raise DataError("the last message must be the person's")
    return [Message(role=one.role, content=readable(one.content)) for one in found]
