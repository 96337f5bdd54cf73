"""The assistant as the routes use it, in threads of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from agents.assistant.answer import Answer, Edit, Message, Thought
from agents.assistant.assistant import Assistant
from agents.assistant.files import CONVERSATIONS, assistant_folder
from agents.assistant.policy import Policy
from agents.assistant.reasoning import Listen, ignore_thought
from agents.assistant.second_reader import EndpointReader
from agents.assistant.server.config import AssistantConfig
from agents.assistant.server.metrics import AskMetrics
from agents.assistant.server.wire import Conversation, Opinion, Recommend, Say, Turn
from data_engine.store.feedback import Feedback, feedback_path

P = ParamSpec("P")
T = TypeVar("T")
OpenPolicy = Callable[[], Policy]
KEPT_TURNS = 50  # of a conversation, that a page shows again
PREFIX = "page:"  # of the threads of pages: a terminal's cannot be read from here


class Service:
    """Loaded before a server forks; `start` opens what each process must have of its own."""

    def __init__(
        self, config: AssistantConfig, metrics: AskMetrics, open_policy: OpenPolicy | None = None
    ) -> None:
        self._config, self._store, self.metrics = config, config.store, metrics
        self._open_policy = open_policy
        self.assistant = Assistant(config.store)

    def start(self) -> None:
        """Open the kept conversations, the policy, and the threads that answer."""
        # Threads side by side would only compete for the interpreter; but nobody should wait for
        # the policy of another.
        waits = self._open_policy or self._config.reader
        self._threads = ThreadPoolExecutor(self._config.at_once if waits else 1)
        self._prepare(self.assistant)
        self._feedback = Feedback(feedback_path(self._store))

    def reload(self) -> None:
        """Load the store again; the old one is used until it is there. Raises DataError."""
        loaded = Assistant(self._store)
        self._prepare(loaded)
        self.assistant = loaded  # the old one closes its file once its last answer is given

    async def run(self, work: Callable[P, T], *words: P.args, **named: P.kwargs) -> T:
        """What `work` returns, done in a thread."""
        done = self._threads.submit(work, *words, **named)
        return await asyncio.wrap_future(done)

    async def stream(self, work: Callable[[Listen], T]) -> AsyncIterator[Thought | T]:
        """The thoughts that `work` tells as they come, then what it returns."""
        loop, told = asyncio.get_running_loop(), asyncio.Queue[Thought | None]()

        def tell(thought: Thought | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, thought)

        done = self._threads.submit(work, tell)
        done.add_done_callback(lambda _: tell(None))
        while (thought := await told.get()) is not None:
            yield thought
        yield done.result()

    def recommend(self, asked: Recommend, listen: Listen = ignore_thought) -> Answer:
        """The answer to a question of its own."""
        dialogue = (*asked.messages, Message(role="user", content=asked.text))
        answer = self.assistant.answer(
            dialogue,
            edits=asked.edits,
            user=asked.user,
            state=asked.state,
            k=asked.k,
            listen=listen,
        )
        self.metrics.record_answer(answer)
        return answer

    def say(self, thread: str, said: Say, listen: Listen = ignore_thought) -> Turn:
        """The next turn of a kept conversation."""
        with self.assistant.holding(PREFIX + thread):
            answer = self.assistant.reply(
                PREFIX + thread,
                said.text,
                edits=said.edits,
                user=said.user,
                k=said.k,
                listen=listen,
            )
            if said.text:
                self._feedback.add_question(thread, said.user, said.text, answer.state.conditions)
        self.metrics.record_answer(answer)
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
        with self.assistant.holding(PREFIX + thread):
            self.assistant.forget(PREFIX + thread)
            self._feedback.forget(thread)

    def _prepare(self, assistant: Assistant) -> None:
        if self._config.reader:
            assistant.read_with(EndpointReader(self._config.reader))
        if self._open_policy:
            assistant.reason_with(self._open_policy(), self._config.policy_seconds)
        place = self._config.checkpoints
        assistant.keep(place or assistant_folder(self._store) / CONVERSATIONS)

    def _turn(self, text: str, answer: Answer) -> Turn:
        named = dict.fromkeys((*answer.state.anchors, *answer.state.exclusions))
        titles = {item: self.assistant.title(item) for item in named}
        return Turn(text=text, answer=answer, titles=titles)
