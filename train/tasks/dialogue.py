"""The common part of tasks that take several turns.

A transcript is the gold one: the messages of user and tool, and those of a perfect policy. In a
rollout the policy's own messages stand in their place.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from data_engine.datasets.parquet import verl_row
from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.tasks.base import (
    Answer,
    ExampleTask,
    Lesson,
    LookUp,
    Message,
    Policy,
    Progress,
    Row,
    no_progress,
)
from train.tasks.play import Dialogue, play


@dataclass(frozen=True)
class DialogueTask(ExampleTask):
    """A task with a transcript; only Examples of its kind can be asked so."""

    agent_loop: ClassVar[str] = "dialogue"
    teachable: bool = True

    @abstractmethod
    def messages(self, example: Example, evidence: Evidence) -> list[Message]:
        """The gold transcript: the prompt, the turns in between, the last answer."""

    def prompt(self, example: Example, evidence: Evidence) -> str:
        """The first message of the transcript."""
        return self.messages(example, evidence)[0].content

    def row(self, example: Example, evidence: Evidence) -> Row:
        """`extra_info` has the user's `later` messages; look-ups are `among` the candidates."""
        dialogue = self.start(example, evidence)
        row: Row = verl_row(example, dialogue.chat[0]["content"])
        row["extra_info"] |= {"later": dialogue.later, "among": list(dialogue.among)}
        return row

    def start(self, example: Example, evidence: Evidence) -> Dialogue:
        """The dialogue before the policy has spoken."""
        first, *rest = self.messages(example, evidence)
        later = [message.content for message in rest if message.role == "user"]
        return Dialogue([{"role": "user", "content": first.content}], later, example.candidates)

    def lessons(self, example: Example, evidence: Evidence) -> list[Lesson]:
        """One for the last message and for each that has a flawed version."""
        first, *rest = self.messages(example, evidence)
        return [
            Lesson(first.content, message.content, message.flawed, tuple(rest[:k]))
            for k, message in enumerate(rest)
            if message.flawed or message is rest[-1]
        ]

    def vocabulary(self, examples: Sequence[Example], evidence: Evidence) -> list[str]:
        """All messages, flawed ones too, each once, after the name of the tool's role."""
        texts: dict[str, None] = {}
        for example in self.fitting(examples):
            for message in self.messages(example, evidence):
                texts |= dict.fromkeys((message.content, *message.flawed))
        return ["tool", *texts]

    def answers(
        self,
        examples: Sequence[Example],
        evidence: Evidence,
        policy: Policy,
        look_up: LookUp,
        progress: Progress = no_progress,
    ) -> list[Answer]:
        """The last message of each dialogue, played to its end, and all of its messages."""
        dialogues = [self.start(example, evidence) for example in examples]
        texts = play(dialogues, policy.respond, look_up, policy.tool_role, progress)
        return [
            Answer(text, dialogue.chat) for text, dialogue in zip(texts, dialogues, strict=True)
        ]

    @property
    def how_to_get_more(self) -> str:
        """The advice to somebody with too few queries."""
        return f"synthesise more (`rerec synth --rl --kinds {self.style}`)"
