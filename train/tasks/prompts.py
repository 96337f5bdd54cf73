"""Prompt styles: how an Example becomes a chat turn, and a chain the answer to it.

open-book lists the facts, for policies that know nothing of the world; each line starts with a space so that a name is the
same token at the start of a line as inside one. closed-book lists titles only and says how to answer; instructed lists facts and says so too.
open-catalogue lists nothing: whatever the catalogue has may be recommended.
"""

from collections.abc import Callable, Sequence

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Chain, Example

CLOSED_BOOK = """{query}

Candidates:
{candidates}

{task}"""
OPEN_CATALOGUE = """{query}

Reason step by step in short paragraphs: what is asked for, then what you know that may fit. End with the titles you recommend, each in
full, best first, at most ten, one a line, between <answer> and </answer>."""
TASK = """Reason step by step in short paragraphs: what is asked for, then each candidate against it. End with the titles you recommend,
copied from the list, best first, one a line, between <answer> and </answer>."""


def open_book(example: Example, evidence: Evidence) -> str:
    """Query, the cards of the items it names, the cards of the candidates: a title and its card values a line, "-" where a card has none."""
    lines = [_said(example) if example.turns else f"Query: {example.query}"]
    lines += ["Facts:", *(carded(i, evidence) for i in example.anchors)] if example.anchors else []
    lines += ["Candidates:", *(carded(i, evidence) for i in example.candidates)]
    return indented("\n".join(lines))


def closed_book(example: Example, evidence: Evidence) -> str:
    """Query, titles and instructions; a policy must bring its own knowledge."""
    candidates = "\n".join(f"- {evidence.attributes.titles[i]}" for i in example.candidates)
    return CLOSED_BOOK.format(query=_said(example), candidates=candidates, task=TASK)


def open_catalogue(example: Example, evidence: Evidence) -> str:
    """Query and instructions; a policy must bring its own knowledge."""
    return OPEN_CATALOGUE.format(query=_said(example))


def instructed(example: Example, evidence: Evidence) -> str:
    """Query, facts and instructions: what the tiny policy sees, for a model that has not been trained to answer it."""
    columns = ", ".join(
        column.relation for column in evidence.cards.columns for _ in range(column.width)
    )
    return f"{open_book(example, evidence)}\n\nEach line of facts is a title and its {columns} (- where there is none). {TASK}"


OPEN = "open-catalogue"  # whatever meets the conditions is right
STYLES: dict[str, Callable[[Example, Evidence], str]] = {
    "open-book": open_book,
    "closed-book": closed_book,
    "instructed": instructed,
    OPEN: open_catalogue,
}


def response(chain: Chain, evidence: Evidence) -> str:
    """A chain as the open-book answer: a paragraph for the hop or premise, one for the need, a line a candidate, the answer."""
    before = "\n\n".join(s.text for s in chain.steps if s.role != "candidate")
    lines = "\n".join(s.text for s in chain.steps if s.role == "candidate")
    return indented(
        f"{before}\n\n{lines}\n\n<answer> {evidence.attributes.titles[chain.answer]} </answer>"
    )


def shortcuts(example: Example) -> tuple[Chain, ...]:
    """The flawed chains that a hasty policy would take: those that end wrong by a tempting shortcut, else one that keeps a wrong item."""
    wrong = [c for c in example.chains if c.flaw and c.answer not in example.gold]
    return tuple(c for c in wrong if c.flaw != "wrong_item_kept") or tuple(wrong[:1])


def watched(items: Sequence[str], evidence: Evidence) -> str:
    """A history as open book, oldest first: a card a line, the title alone where there is no card."""
    told = (
        carded(i, evidence) if i in evidence.cards.rows else evidence.attributes.titles[i]
        for i in items
    )
    return indented("\n".join(["Watched:", *told, "Next?"]))


def thought_out(thought: str, answer: str) -> str:
    """A chain of thought and a short answer as a policy gives them."""
    return indented(f"{thought}\n\n<answer> {answer} </answer>")


def carded(item: str, evidence: Evidence) -> str:
    """A title and its card values, "-" where a card has none."""
    cards, names = evidence.cards, evidence.attributes.names
    values = [
        names[row[k]] if k < len(row := cards.rows[item][column.relation]) else "-"
        for column in cards.columns
        for k in range(column.width)
    ]
    return " ".join([evidence.attributes.titles[item], *values])


def _said(example: Example) -> str:
    return (
        "\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in example.turns)
        or example.query
    )


def indented(text: str) -> str:
    """Each line with a space before it: a name is the same token at the start of a line as inside one."""
    return "\n".join(f" {line}" if line else line for line in text.split("\n"))
