"""What supervised fine-tuning teaches: prompts with the right response and flawed ones."""

from collections.abc import Iterator
from typing import NamedTuple

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.errors import TrainError
from train.tasks.dialogues import DIALOGUES, Message, fits
from train.tasks.prompts import open_book, response, shortcuts


class Lesson(NamedTuple):
    """A prompt with the right response and those of an imperfect teacher.

    since: the messages between prompt and response. Messages of the policy among them that have
    no flawed version get no lesson of their own: they are learned with this one.
    """

    prompt: str
    gold: str
    flawed: tuple[str, ...]
    since: tuple[Message, ...] = ()

    @property
    def chat(self) -> list[dict[str, str]]:
        """The messages before the response."""
        first = {"role": "user", "content": self.prompt}
        return [first, *({"role": m.role, "content": m.content} for m in self.since)]


def lessons(examples: list[Example], evidence: Evidence, style: str = "open-book") -> list[Lesson]:
    """The question of each Example with its gold chain and its shortcuts.

    Of a dialogue: one lesson for the last message and for each that has a flawed version.
    Raises TrainError for an unknown style, or when no Example can be asked in the style.
    """
    if style in DIALOGUES:
        return _dialogue_lessons(examples, evidence, style)
    if style != "open-book":
        raise TrainError(
            f"no style {style!r} to teach: choose from open-book, {', '.join(DIALOGUES)}"
        )
    return [_open_book_lesson(example, evidence) for example in examples]


def _open_book_lesson(example: Example, evidence: Evidence) -> Lesson:
    flawed = tuple(response(chain, evidence) for chain in shortcuts(example))
    return Lesson(open_book(example, evidence), response(example.chains[0], evidence), flawed)


def _dialogue_lessons(examples: list[Example], evidence: Evidence, style: str) -> list[Lesson]:
    found: list[Lesson] = []
    for example in examples:
        if fits(style, example):
            found.extend(_message_lessons(example, evidence, style))
    if not found:
        raise TrainError(
            f"no Example can be asked in the style {style}: "
            f"synthesise some (`rerec synth --kinds {style}`)"
        )
    return found


def _message_lessons(example: Example, evidence: Evidence, style: str) -> Iterator[Lesson]:
    first, *rest = DIALOGUES[style](example, evidence)
    for k, message in enumerate(rest):
        if message.astray or message is rest[-1]:
            yield Lesson(first.content, message.content, message.astray, tuple(rest[:k]))
