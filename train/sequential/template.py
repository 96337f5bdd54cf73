"""Thoughts from a template over the facts of a history: offline, and without other knowledge."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from math import log

from data_engine.datasets.sequences import Next, Sequences
from data_engine.graphs.evidence import Evidence
from train.sequential.thoughts import READ, Thinker, Thought

DECAY = 0.93  # weight of an item relative to the one after it
TRAITS = 4
Edge = tuple[str, str]  # relation, value


def template(sequences: Sequences, evidence: Evidence) -> Thinker:
    """Names the last items and what they share beyond chance, and answers with those traits."""
    return _thinker(sequences, evidence, lambda one, times: _repeated(times))


def hindsight(sequences: Sequences, evidence: Evidence) -> Thinker:
    """As `template`, for teaching a policy on training moments only.

    Of the traits of the last items it names those that the next one turned out to have, and where
    there are none, those of the template.
    """
    edges, items = evidence.attributes.edge_sets, sequences.items

    def choose(one: Next, times: Counter[Edge]) -> list[Edge]:
        of_next = edges.get(items[one.target], ())
        return [edge for edge in times if edge in of_next] or _repeated(times)

    return _thinker(sequences, evidence, choose)


def _repeated(times: Counter[Edge]) -> list[Edge]:
    return [edge for edge, count in times.items() if count > 1]


def _thinker(
    sequences: Sequences,
    evidence: Evidence,
    choose: Callable[[Next, Counter[Edge]], list[Edge]],
) -> Thinker:
    """`choose` picks the traits to name, given how many of the last items have each."""
    graph, items = evidence.attributes, sequences.items
    rarity = _rarity(evidence, len(items))

    def think(one: Next) -> Thought:
        weight: defaultdict[Edge, float] = defaultdict(float)
        times: Counter[Edge] = Counter()
        last = [items[k] for k in one.history[-READ:]]
        for age, item in enumerate(reversed(last)):
            for edge in graph.edge_sets.get(item, ()):
                if edge in rarity:
                    weight[edge] += rarity[edge] * DECAY**age
                    times[edge] += 1
        traits = sorted(choose(one, times), key=lambda edge: (-weight[edge], edge))[:TRAITS]
        names = [f"{relation} {graph.names[value]}" for relation, value in traits]
        lines = [f"Lately {', '.join(graph.titles[item] for item in last[-3:])}."]
        lines += [f"{name} {times[edge]} times." for name, edge in zip(names, traits, strict=True)]
        return Thought("\n".join(lines), f"Next {', '.join(names)}" if names else "")

    def think_all(moments: Sequence[Next]) -> list[Thought]:
        return [think(one) for one in moments]

    return think_all


def _rarity(evidence: Evidence, items: int) -> dict[Edge, float]:
    """−log of the share of items with a trait, of those traits that cards show, more than once."""
    shown = {column.relation for column in evidence.cards.columns}
    return {
        edge: log(items / len(holders))
        for edge, holders in evidence.attributes.items_by_edge.items()
        if edge[0] in shown and len(holders) > 1
    }
