"""Conversations: a wish takes shape over several turns."""

from dataclasses import dataclass

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.tasks.base import Message
from train.tasks.dialogue import DialogueTask
from train.tasks.prompts import card_lines, indented, response, shortcuts


@dataclass(frozen=True)
class Conversation(DialogueTask):
    """The policy replies to each turn of the user; its last reply is scored."""

    style: str = "conversation"

    def fits(self, example: Example) -> bool:
        """Whether the Example has turns."""
        return bool(example.turns)

    def messages(self, example: Example, evidence: Evidence) -> list[Message]:
        """The Example's turns, the candidates' cards with the first, the chain as last answer."""
        first, *later = [Message(turn.role, indented(turn.text)) for turn in example.turns]
        cards = indented("\n".join(["Candidates:", *card_lines(example.candidates, evidence)]))
        gold = response(example.chains[0], evidence)
        flawed = tuple(response(chain, evidence) for chain in shortcuts(example))
        opening = Message("user", f"{first.content}\n{cards}")
        return [opening, *later, Message("assistant", gold, flawed)]
