"""Prompts for chat models: a system prompt, the request, labelled fact cards, and the task.

The cards are what `prompts.card_line` shows, with labels and all values up to a cap, read from the
whole graph: a real model knows words, so labels cost it nothing and a value left out could be the
one that decides. The terse card stays for the tiny policy, which learns places in a line.
"""

from collections.abc import Iterable

from data_engine.graphs.evidence import Evidence
from data_engine.names.spoken import dated_title
from data_engine.responses.telling import told
from data_engine.schema import Chain, Example

MOST = 2  # values said per relation of a card
SYSTEM = (
    "You recommend items from a list. You reason only from the facts that are given, and you say "
    "when something does not fit."
)
TASK = (
    "Which candidate fits? First say what is asked for. Then go through the candidates in order, "
    "one sentence each: what it has or lacks, and whether it stays. End with the title, copied "
    "from the list, between <answer> and </answer>."
)


def chat_prompt(example: Example, evidence: Evidence) -> str:
    """The user's message: request, facts, candidates, task."""
    request = "\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in example.turns)
    parts = [request or example.query]
    if example.anchors:
        parts.append("\n".join(["Facts:", *labelled_cards(example.anchors, evidence)]))
    parts.append("\n".join(["Candidates:", *labelled_cards(example.candidates, evidence)]))
    return "\n\n".join([*parts, TASK])


def labelled_cards(items: Iterable[str], evidence: Evidence) -> list[str]:
    """A `labelled_card` per item."""
    return [labelled_card(item, evidence) for item in items]


def labelled_card(item: str, evidence: Evidence) -> str:
    """ "Sabrina (1995) — director: Sydney Pollack; starring: Greg Kinnear, Harrison Ford".

    A relation without values is left out. Beyond MOST values the number of those left out is said;
    those of the terse card come first.
    """
    graph, cards = evidence.attributes, evidence.cards
    parts = []
    for column in cards.columns:
        shown = cards.rows.get(item, {}).get(column.relation, ())
        known = graph.edges.get(item, {}).get(column.relation, ())
        values = tuple(dict.fromkeys((*shown, *known)))
        if values:
            said = ", ".join(graph.names[value] for value in values[:MOST])
            more = f" and {len(values) - MOST} more" if len(values) > MOST else ""
            parts.append(f"{column.relation.replace('_', ' ')}: {said}{more}")
    title = dated_title(graph.titles[item])
    return f"{title} — {'; '.join(parts)}" if parts else title


def chat_response(example: Example, chain: Chain, evidence: Evidence) -> str:
    """A chain in sentences, as the answer to `chat_prompt`."""
    graph = evidence.attributes
    steps = list(zip(chain.steps, told(example, chain, graph.titles, graph.names), strict=True))
    before = "\n\n".join(text for step, text in steps if step.role != "candidate")
    lines = "\n".join(f"- {text}" for step, text in steps if step.role == "candidate")
    return f"{before}\n\n{lines}\n\n<answer>{dated_title(graph.titles[chain.answer])}</answer>"
