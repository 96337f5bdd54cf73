"""Tasks of one prompt and one response, in four prompt styles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.tasks.base import Answer, ExampleTask, Lesson, LookUp, Policy, Progress, no_progress
from train.tasks.prompts import (
    closed_book,
    instructed,
    open_book,
    open_catalogue,
    response,
    shortcuts,
)

VOCABULARY_EXAMPLES = 2000  # Examples whose words the tokenizer learns


@dataclass(frozen=True)
class SingleTurn(ExampleTask):
    """A prompt as `write` makes it, answered by a chain of thought and titles."""

    agent_loop: ClassVar[str] = "rerec"
    write: Callable[[Example, Evidence], str] = open_book

    def prompt(self, example: Example, evidence: Evidence) -> str:
        """The only message to the policy."""
        return self.write(example, evidence)

    def lessons(self, example: Example, evidence: Evidence) -> list[Lesson]:
        """The question with its gold chain, and its shortcuts."""
        flawed = tuple(response(chain, evidence) for chain in shortcuts(example))
        gold = response(example.chains[0], evidence)
        return [Lesson(self.prompt(example, evidence), gold, flawed)]

    def vocabulary(self, examples: Sequence[Example], evidence: Evidence) -> list[str]:
        """Prompts and all chains of some of the Examples, evenly over all."""
        texts = []
        for example in examples[:: max(1, len(examples) // VOCABULARY_EXAMPLES)]:
            texts.append(self.prompt(example, evidence))
            texts += [response(chain, evidence) for chain in example.chains]
        return texts

    def answers(
        self,
        examples: Sequence[Example],
        evidence: Evidence,
        policy: Policy,
        look_up: LookUp,
        progress: Progress = no_progress,
    ) -> list[Answer]:
        """The response to each prompt."""
        prompts = [self.prompt(example, evidence) for example in examples]
        return [Answer(text) for text in policy.respond(prompts, 0, progress)]


SINGLE_TURNS = (
    SingleTurn("open-book", teachable=True, write=open_book),
    SingleTurn("closed-book", write=closed_book),
    SingleTurn("instructed", write=instructed),
    SingleTurn("open-catalogue", open_catalogue=True, write=open_catalogue),
)
