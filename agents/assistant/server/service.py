"""The assistant as the routes use it: one answer after the other, in a thread of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from agents.assistant.answer import Answer, Edit, Message
from agents.assistant.assistant import Assistant
from agents.assistant.files import CONVERSATIONS, assistant_folder
from agents.assistant.server.metrics import AskMetrics
from agents.assistant.server.wire import Conversation, Opinion, Recommend, Say, Turn
from data_engine.store.feedback import Feedback, feedback_path

P = ParamSpec("P")
T = TypeVar("T")
KEPT_TURNS = 50  # of a conversation, that a page shows again
PREFIX = "page:"  # of the threads of pages: a terminal's cannot be read from here


class Service:
    """Loaded before a server forks; `start` opens what each process must have of its own."""

    def __init__(self, store: Path, metrics: AskMetrics) -> None:
        self._store, self.metrics = store, metrics
        self.assistant = Assistant(store)

    def start(self) -> None:
        """Open the kept conversations, and the thread that answers."""
        # Threads side by side would only compete for the interpreter; and the turns of one
        # conversation must follow each other.
        self._thread = ThreadPoolExecutor(1)
        self._keep(self.assistant)
        self._feedback = Feedback(feedback_path(self._store))

    def reload(self) -> None:
        """Load the store again; the old one is used until it is there. Raises DataError."""
        loaded = Assistant(self._store)
        self._keep(loaded)
        self.assistant.close()
        self.assistant = loaded

    async def run(self, work: Callable[P, T], *words: P.args, **named: P.kwargs) -> T:
        """What `work` returns, done in the thread."""
        done = self._thread.submit(work, *words, **named)
        return await asyncio.wrap_future(done)

    def recommend(self, asked: Recommend) -> Answer:
        """The answer to a question of its own."""
        dialogue = (*asked.messages, Message(role="user", content=asked.text))
        answer = self.assistant.answer(
            dialogue, edits=asked.edits, user=asked.user, state=asked.state, k=asked.k
        )
        self.metrics.record_answer(answer)
        return answer

    def say(self, thread: str, said: Say) -> Turn:
        """The next turn of a kept conversation."""
        answer = self.assistant.reply(
            PREFIX + thread, said.text, edits=said.edits, user=said.user, k=said.k
        )
        self.metrics.record_answer(answer)
        if said.text:
            self._feedback.add_question(thread, said.user, said.text, answer.state.conditions)
        return self._turn(said.text, answer)

    def judge(self, thread: str, opinion: Opinion) -> Turn:
        """The turn after an item was liked or not, which is kept first. Raises DataError for an
        unknown item.
        """
        self.assistant.title(opinion.item)
        self._feedback.add_opinion(thread, opinion.user, opinion.item, opinion.liked)
        edit = Edit(act="like" if opinion.liked else "exclude", item=opinion.item)
        return self.say(thread, Say(edits=(edit,), user=opinion.user, k=opinion.k))

    def conversation(self, thread: str) -> Conversation:
        """The last turns of a kept conversation, none where there is none."""
        kept = self.assistant.turns(PREFIX + thread, KEPT_TURNS)
        return Conversation(turns=tuple(self._turn(text, answer) for text, answer in kept))

    def forget(self, thread: str) -> None:
        """Keep nothing of a conversation, nor of the feedback in it."""
        self.assistant.forget(PREFIX + thread)
        self._feedback.forget(thread)

    def _keep(self, assistant: Assistant) -> None:
        assistant.keep(assistant_folder(self._store) / CONVERSATIONS)

    def _turn(self, text: str, answer: Answer) -> Turn:
        named = dict.fromkeys((*answer.state.anchors, *answer.state.exclusions))
        titles = {item: self.assistant.title(item) for item in named}
        return Turn(text=text, answer=answer, titles=titles)
