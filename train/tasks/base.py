"""The interfaces of tasks, and the records they hand over."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from data_engine.datasets.parquet import verl_row
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from reward_server.wire import Look, Looked

Row = dict[str, Any]  # as verl's dataset reads it
Chat = list[dict[str, str]]  # messages: {"role": …, "content": …}
Progress = Callable[[int, int], None]  # called with (done, total)
LookUp = Callable[[Sequence[Look]], list[Looked]]


def no_progress(done: int, total: int) -> None:
    """A progress callback that does nothing."""


class Message(NamedTuple):
    """One message of a chat; `flawed` are those of a hasty policy in its place."""

    role: str
    content: str
    flawed: tuple[str, ...] = ()


class Lesson(NamedTuple):
    """A prompt with the right response and those of an imperfect teacher.

    since: the messages between prompt and response. Messages of the policy among them that have
    no flawed version get no lesson of their own: they are learned with this one. system: what
    the policy is told before the prompt.
    """

    prompt: str
    gold: str
    flawed: tuple[str, ...]
    since: tuple[Message, ...] = ()
    system: str = ""

    @property
    def chat(self) -> Chat:
        """The messages before the response."""
        first = [{"role": "system", "content": self.system}] if self.system else []
        first.append({"role": "user", "content": self.prompt})
        return [*first, *({"role": m.role, "content": m.content} for m in self.since)]


class Answer(NamedTuple):
    """A policy's response to an Example (its last message), and the chat where it took several."""

    text: str
    chat: Chat | None = None


class Policy(Protocol):
    """A model that is evaluated."""

    @property
    def tool_role(self) -> str:
        """The role of tool messages in chats with this model."""

    def respond(
        self, prompts: Sequence[str | Chat], turn: int, progress: Progress = no_progress
    ) -> list[str]:
        """The next message after each prompt (a text, or a chat); `turn` counts from 0."""


class Task(ABC):
    """A source of queries to learn from by reinforcement."""

    agent_loop: ClassVar[str]  # of verl_plugin/agent_loops.yaml

    @abstractmethod
    def rows(
        self, examples: Mapping[str, Sequence[Example]], evidence: Evidence
    ) -> dict[str, list[Row]]:
        """verl rows by split."""

    def sample(self, examples: Sequence[Example], evidence: Evidence, most: int) -> list[Row]:
        """At most so many of the rows to learn from."""
        return self.rows({"rl": examples}, evidence)["rl"][:most]

    @property
    @abstractmethod
    def how_to_get_more(self) -> str:
        """The advice to somebody with too few queries."""


@dataclass(frozen=True)
class ExampleTask(Task):
    """A way to ask Examples. `open_catalogue`: whatever meets the conditions is right."""

    style: str
    open_catalogue: bool = False
    teachable: bool = False  # whether supervised fine-tuning knows how to respond

    @abstractmethod
    def prompt(self, example: Example, evidence: Evidence) -> str:
        """The first message to the policy."""

    @abstractmethod
    def lessons(self, example: Example, evidence: Evidence) -> list[Lesson]:
        """The supervised samples of an Example."""

    @abstractmethod
    def vocabulary(self, examples: Sequence[Example], evidence: Evidence) -> list[str]:
        """Texts with the words that a policy of this task has to know."""

    @abstractmethod
    def answers(
        self,
        examples: Sequence[Example],
        evidence: Evidence,
        policy: Policy,
        look_up: LookUp,
        progress: Progress = no_progress,
    ) -> list[Answer]:
        """A policy's answer to each Example, for evaluation; raises what the policy raises."""

    def fits(self, example: Example) -> bool:
        """Whether an Example can be asked so."""
        return True

    def fitting(self, examples: Sequence[Example]) -> list[Example]:
        """The Examples that can be asked so."""
        return [example for example in examples if self.fits(example)]

    def row(self, example: Example, evidence: Evidence) -> Row:
        """An Example as verl's dataset reads it."""
        return verl_row(example, self.prompt(example, evidence))

    def rows(
        self, examples: Mapping[str, Sequence[Example]], evidence: Evidence
    ) -> dict[str, list[Row]]:
        """verl rows by split, of the Examples that can be asked so."""
        found: dict[str, list[Row]] = {}
        for split, chosen in examples.items():
            found[split] = [self.row(example, evidence) for example in self.fitting(chosen)]
        return found

    @property
    def how_to_get_more(self) -> str:
        """The advice to somebody with too few queries."""
        return "synthesise more (`rerec synth --rl`)"
