"""Examples that take several turns: a conversation, where a wish takes shape, and a query whose facts must be asked for.

A transcript is the gold one: what user and tool say, and what a policy should. In a rollout the policy's own words stand in its place; what it
asks of the tool is answered by the reward server (`POST /v1/look`). A call stands alone in a message:

    <call> lookup TITLE | RELATION </call>     what an item has
    <call> holders RELATION | VALUE </call>    which of the candidates have a value
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from data_engine.datasets.parquet import verl_row
from data_engine.graphs.evidence import Evidence
from data_engine.responses.reading import after_thoughts
from data_engine.schema import Call, Chain, Example
from reward_server.wire import MOST_NAME, MOST_TITLE, Look, Looked
from train.tasks.prompts import STYLES, carded, indented, response, shortcuts

NOTHING = "nothing"
MOST_CALLS = 6  # look-ups of one dialogue; what asks for more is its last message
TOOLS = """{query}

{titles}

Facts are had by asking, one call a message:
<call> lookup TITLE | RELATION </call> for what an item has,
<call> holders RELATION | VALUE </call> for the candidates that have a value.
Relations: {relations}.
Then give the titles you recommend, best first, one a line, between <answer> and </answer>."""


class Message(NamedTuple):
    """One message of a chat; `astray` is what a hasty policy would say in its place."""

    role: str
    content: str
    astray: tuple[str, ...] = ()


def conversation(example: Example, evidence: Evidence) -> list[Message]:
    """The Example's turns, the candidates' cards with the first, the chain as the last answer."""
    first, *later = [Message(turn.role, indented(turn.text)) for turn in example.turns]
    cards = indented("\n".join(["Candidates:", *(carded(i, evidence) for i in example.candidates)]))
    answer = Message(
        "assistant",
        response(example.chains[0], evidence),
        tuple(response(chain, evidence) for chain in shortcuts(example)),
    )
    return [Message("user", f"{first.content}\n{cards}"), *later, answer]


def asking(example: Example, evidence: Evidence) -> list[Message]:
    """Titles without facts; each of the Example's calls and what it found, then the answer."""
    found = [Message("user", _question(example, evidence))]
    for call in example.calls:
        astray = tuple(_hasty(example, evidence)) if call is example.calls[0] else ()
        found += [
            Message("assistant", _call(call, evidence), astray),
            Message("tool", told(_result(call, example, evidence))),
        ]
    return [*found, Message("assistant", _answer(example.chains[0], evidence))]


def _hasty(example: Example, evidence: Evidence) -> Iterator[str]:
    """To ask for the relations that the flawed chains went by, or to answer without asking."""
    first = example.calls[0]
    for relation in sorted(
        {
            claim.relation
            for chain in shortcuts(example)
            for step in chain.steps
            for claim in step.claims
            if claim.kind == "need"
        }
    ):
        if relation != first.relation:
            yield _call(first.model_copy(update={"relation": relation}), evidence)
    yield from (_answer(chain, evidence) for chain in shortcuts(example)[:1])


DIALOGUES: dict[str, Callable[[Example, Evidence], list[Message]]] = {
    "conversation": conversation,
    "tools": asking,
}


def fits(style: str, example: Example) -> bool:
    """Whether an Example can be asked so."""
    return bool(example.turns if style == "conversation" else example.calls)


def example_rows(examples: Iterable[Example], evidence: Evidence, style: str) -> list[dict]:
    """Verl rows in any style, of the Examples that can be asked so. Of a dialogue the first message is the prompt; `extra_info` has what a user
    says `later` and the candidates that look-ups are `among`."""
    if style not in DIALOGUES:
        return [verl_row(e, STYLES[style](e, evidence)) for e in examples]
    found = []
    for example in examples:
        if fits(style, example):
            first, *rest = DIALOGUES[style](example, evidence)
            row = verl_row(example, first.content)
            row["extra_info"] |= {
                "later": [m.content for m in rest if m.role == "user"],
                "among": list(example.candidates),
            }
            found.append(row)
    return found


def asked(text: str, among: Sequence[str]) -> Look | None:
    """The call that a message makes after its thoughts, None where it makes none. `among` are the candidates' ids.
    What is longer than a name can be, as where a policy makes two calls at once, is cut: the tool will say that there is no such thing."""
    text = after_thoughts(text).strip()
    if not (text.startswith("<call>") and text.endswith("</call>")):
        return None
    tool, *rest = text.removeprefix("<call>").removesuffix("</call>").split(maxsplit=1) or [""]
    first, _, second = (part.strip() for part in "".join(rest).partition("|"))
    if not (first and second and tool in ("lookup", "holders")):
        return None
    if tool == "lookup":
        return Look(tool, second[:MOST_NAME], item=first[:MOST_TITLE], among=list(among))
    return Look(tool, first[:MOST_NAME], value=second[:MOST_TITLE], among=list(among))


def told(found: Looked) -> str:
    """What the tool says."""
    return indented("\n".join(found.found) or found.problem or NOTHING)


def _question(example: Example, evidence: Evidence) -> str:
    titles = evidence.attributes.titles
    lines = ["Named:", *(titles[i] for i in example.anchors)] if example.anchors else []
    lines += ["Candidates:", *(titles[i] for i in example.candidates)]
    relations = ", ".join(dict.fromkeys(column.relation for column in evidence.cards.columns))
    return indented(TOOLS.format(query=example.query, titles="\n".join(lines), relations=relations))


def _call(call: Call, evidence: Evidence) -> str:
    graph = evidence.attributes
    words = (
        f"{graph.titles[call.item]} | {call.relation}"
        if call.tool == "lookup"
        else f"{call.relation} | {graph.names[call.value]}"
    )
    return indented(f"<call> {call.tool} {words} </call>")


def _result(call: Call, example: Example, evidence: Evidence) -> Looked:
    """As the server would say it."""
    graph = evidence.attributes
    if call.tool == "lookup":
        return Looked(sorted({graph.names[value] for value in call.result}), "")
    return Looked([graph.titles[i] for i in example.candidates if i in call.result], "")


def _answer(chain: Chain, evidence: Evidence) -> str:
    return indented(f"<answer> {evidence.attributes.titles[chain.answer]} </answer>")
