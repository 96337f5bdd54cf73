"""Prompt texts: how an Example becomes a chat turn, and a chain the answer to it.

open-book lists the facts, for policies that know nothing of the world; each line starts with a
space so that a name is the same token at the start of a line as inside one. closed-book lists
titles only and says how to answer; instructed lists facts and says so too. open-catalogue lists
nothing: whatever the catalogue has may be recommended.
"""

from collections.abc import Iterable, Sequence

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Chain, Example

CLOSED_BOOK = """{query}

Candidates:
{candidates}

{task}"""
OPEN_CATALOGUE = (
    "{query}\n\n"
    "Reason step by step in short paragraphs: what is asked for, then what you know that may fit. "
    "End with the titles you recommend, each in\n"
    "full, best first, at most ten, one a line, between <answer> and </answer>."
)
TASK = (
    "Reason step by step in short paragraphs: what is asked for, then each candidate against it. "
    "End with the titles you recommend,\n"
    "copied from the list, best first, one a line, between <answer> and </answer>."
)


def open_book(example: Example, evidence: Evidence) -> str:
    """The query, the cards of the items it names, the cards of the candidates."""
    lines = [_query(example) if example.turns else f"Query: {example.query}"]
    lines += ["Facts:", *card_lines(example.anchors, evidence)] if example.anchors else []
    lines += ["Candidates:", *card_lines(example.candidates, evidence)]
    return indented("\n".join(lines))


def closed_book(example: Example, evidence: Evidence) -> str:
    """Query, titles and instructions; a policy must bring its own knowledge."""
    candidates = "\n".join(f"- {evidence.attributes.titles[i]}" for i in example.candidates)
    return CLOSED_BOOK.format(query=_query(example), candidates=candidates, task=TASK)


def open_catalogue(example: Example, evidence: Evidence) -> str:
    """Query and instructions; a policy must bring its own knowledge."""
    return OPEN_CATALOGUE.format(query=_query(example))


def instructed(example: Example, evidence: Evidence) -> str:
    """The open-book prompt with instructions, for a model that was not trained to answer it."""
    columns: list[str] = []
    for column in evidence.cards.columns:
        columns += [column.relation] * column.width
    return (
        f"{open_book(example, evidence)}\n\nEach line of facts is a title and its "
        f"{', '.join(columns)} (- where there is none). {TASK}"
    )


def response(chain: Chain, evidence: Evidence) -> str:
    """A chain as the open-book answer.

    A paragraph for the hop or premise, one for the need, a line per candidate, the answer.
    """
    before = "\n\n".join(s.text for s in chain.steps if s.role != "candidate")
    lines = "\n".join(s.text for s in chain.steps if s.role == "candidate")
    return thought_out(f"{before}\n\n{lines}", evidence.attributes.titles[chain.answer])


def shortcuts(example: Example) -> tuple[Chain, ...]:
    """The flawed chains that a hasty policy would take.

    Those that end wrong by a tempting shortcut, else one that keeps a wrong item.
    """
    wrong = [c for c in example.chains if c.flaw and c.answer not in example.gold]
    return tuple(c for c in wrong if c.flaw != "wrong_item_kept") or tuple(wrong[:1])


def history_prompt(items: Sequence[str], evidence: Evidence) -> str:
    """A history as open book, oldest first: a card per line, the title where there is no card."""
    lines = [
        card_line(i, evidence) if i in evidence.cards.rows else evidence.attributes.titles[i]
        for i in items
    ]
    return indented("\n".join(["Watched:", *lines, "Next?"]))


def thought_out(thought: str, answer: str) -> str:
    """A chain of thought and a short answer as a policy gives them."""
    return indented(f"{thought}\n\n<answer> {answer} </answer>")


def card_line(item: str, evidence: Evidence) -> str:
    """A title and its card values, "-" where a card has none."""
    names, card = evidence.attributes.names, evidence.cards.rows.get(item, {})
    words = [evidence.attributes.titles[item]]
    for column in evidence.cards.columns:
        values = card.get(column.relation, ())
        words += [names[values[k]] if k < len(values) else "-" for k in range(column.width)]
    return " ".join(words)


def card_lines(items: Iterable[str], evidence: Evidence) -> list[str]:
    """A `card_line` per item."""
    return [card_line(item, evidence) for item in items]


def _query(example: Example) -> str:
    turns = [f"{turn.role.capitalize()}: {turn.text}" for turn in example.turns]
    return "\n".join(turns) or example.query


def indented(text: str) -> str:
    """Each line with a space before it.

    So a name is the same token at the start of a line as inside one.
    """
    return "\n".join(f" {line}" if line else line for line in text.split("\n"))
