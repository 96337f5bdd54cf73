"""Queries whose facts must be asked for, by look-ups (see `train.tasks.tool_calls`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Call, Chain, Example
from reward_server.wire import Looked
from train.tasks.base import Message
from train.tasks.dialogue import DialogueTask
from train.tasks.prompts import indented, shortcuts
from train.tasks.tool_calls import tool_message

PROMPT = """{query}

{titles}

Facts are had by asking, one call a message:
<call> lookup TITLE | RELATION </call> for what an item has,
<call> holders RELATION | VALUE </call> for the candidates that have a value.
Relations: {relations}.
Then give the titles you recommend, best first, one a line, between <answer> and </answer>."""


@dataclass(frozen=True)
class Tools(DialogueTask):
    """Titles without facts; the reward server answers look-ups; the last message is scored."""

    style: str = "tools"

    def fits(self, example: Example) -> bool:
        """Whether the Example has calls."""
        return bool(example.calls)

    def messages(self, example: Example, evidence: Evidence) -> list[Message]:
        """The question; each of the Example's calls and its result; the answer."""
        found = [Message("user", _question(example, evidence))]
        for number, call in enumerate(example.calls):
            flawed = () if number else tuple(_hasty(example, evidence))
            found.append(Message("assistant", _call(call, evidence), flawed))
            found.append(Message("tool", tool_message(_result(call, example, evidence))))
        return [*found, Message("assistant", _answer(example.chains[0], evidence))]


def _question(example: Example, evidence: Evidence) -> str:
    titles = evidence.attributes.titles
    lines = ["Named:", *(titles[i] for i in example.anchors)] if example.anchors else []
    lines += ["Candidates:", *(titles[i] for i in example.candidates)]
    relations = ", ".join(dict.fromkeys(column.relation for column in evidence.cards.columns))
    prompt = PROMPT.format(query=example.query, titles="\n".join(lines), relations=relations)
    return indented(prompt)


def _hasty(example: Example, evidence: Evidence) -> Iterator[str]:
    """First messages that look up the relations of flawed chains, or answer without asking."""
    first = example.calls[0]
    for relation in sorted(_needed_relations(shortcuts(example))):
        if relation != first.relation:
            yield _call(first.model_copy(update={"relation": relation}), evidence)
    for chain in shortcuts(example)[:1]:
        yield _answer(chain, evidence)


def _needed_relations(chains: tuple[Chain, ...]) -> set[str]:
    """The relations that the chains say are asked for."""
    relations = set()
    for chain in chains:
        for step in chain.steps:
            relations |= {claim.relation for claim in step.claims if claim.kind == "need"}
    return relations


def _call(call: Call, evidence: Evidence) -> str:
    graph = evidence.attributes
    if call.tool == "lookup":
        arguments = f"{graph.titles[call.item]} | {call.relation}"
    else:
        arguments = f"{call.relation} | {graph.names[call.value]}"
    return indented(f"<call> {call.tool} {arguments} </call>")


def _result(call: Call, example: Example, evidence: Evidence) -> Looked:
    """The result as the server would give it."""
    graph = evidence.attributes
    if call.tool == "lookup":
        return Looked(sorted({graph.names[value] for value in call.result}), "")
    return Looked([graph.titles[i] for i in example.candidates if i in call.result], "")


def _answer(chain: Chain, evidence: Evidence) -> str:
    return indented(f"<answer> {evidence.attributes.titles[chain.answer]} </answer>")
