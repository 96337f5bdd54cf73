"""Tasks of one prompt and one response, in five prompt styles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Chain, Example
from train.tasks.base import (
    Answer,
    Chat,
    ExampleTask,
    Lesson,
    LookUp,
    Policy,
    Progress,
    Row,
    no_progress,
)
from train.tasks.chat import SYSTEM, chat_prompt, chat_response
from train.tasks.prompts import (
    closed_book,
    instructed,
    open_book,
    open_catalogue,
    response,
    shortcuts,
)

VOCABULARY_EXAMPLES = 2000  # Examples whose words the tokenizer learns


def _terse_response(example: Example, chain: Chain, evidence: Evidence) -> str:
    return response(chain, evidence)


@dataclass(frozen=True)
class SingleTurn(ExampleTask):
    """A prompt as `write` makes it, answered by a chain of thought and titles.

    tell: the answer that a chain is. system: the message before the prompt, "" for none.
    """

    agent_loop: ClassVar[str] = "rerec"
    write: Callable[[Example, Evidence], str] = open_book
    tell: Callable[[Example, Chain, Evidence], str] = _terse_response
    system: str = ""

    def prompt(self, example: Example, evidence: Evidence) -> str:
        """The only message of the user."""
        return self.write(example, evidence)

    def row(self, example: Example, evidence: Evidence) -> Row:
        """An Example as verl's dataset reads it, after the system prompt where there is one."""
        return super().row(example, evidence) | {"prompt": self.chat(example, evidence)}

    def chat(self, example: Example, evidence: Evidence) -> Chat:
        """The messages before the response."""
        return Lesson(self.prompt(example, evidence), "", (), system=self.system).chat

    def lessons(self, example: Example, evidence: Evidence) -> list[Lesson]:
        """The question with its gold chain, and its shortcuts."""
        flawed = tuple(self.tell(example, chain, evidence) for chain in shortcuts(example))
        gold = self.tell(example, example.chains[0], evidence)
        return [Lesson(self.prompt(example, evidence), gold, flawed, system=self.system)]

    def vocabulary(self, examples: Sequence[Example], evidence: Evidence) -> list[str]:
        """Prompts and all chains of some of the Examples, evenly over all."""
        texts = []
        for example in examples[:: max(1, len(examples) // VOCABULARY_EXAMPLES)]:
            texts.append(self.prompt(example, evidence))
            texts += [self.tell(example, chain, evidence) for chain in example.chains]
        return [self.system, *texts] if self.system else texts

    def answers(
        self,
        examples: Sequence[Example],
        evidence: Evidence,
        policy: Policy,
        look_up: LookUp,
        progress: Progress = no_progress,
    ) -> list[Answer]:
        """The response to each prompt."""
        prompts: list[str | Chat] = [self.prompt(example, evidence) for example in examples]
        if self.system:
            prompts = [Lesson(str(text), "", (), system=self.system).chat for text in prompts]
        return [Answer(text) for text in policy.respond(prompts, 0, progress)]


SINGLE_TURNS = (
    SingleTurn("open-book", teachable=True, write=open_book),
    SingleTurn("closed-book", write=closed_book),
    SingleTurn("instructed", write=instructed),
    SingleTurn("open-catalogue", open_catalogue=True, write=open_catalogue),
    SingleTurn("chat", teachable=True, write=chat_prompt, tell=chat_response, system=SYSTEM),
)
