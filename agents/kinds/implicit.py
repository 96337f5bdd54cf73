"""implicit: the condition hides behind two items that share it (a two-hop path). Shortcut: any fact of one of them."""

from random import Random

from agents.sampling import HISTORY, World
from agents.state import Draft, Flaw
from data_engine.schema import Claim


def draft(world: World, rng: Random) -> Draft | None:
    """Two anchors that share exactly one value of one relation in the graph, and show it on their cards; the gold shows it too."""
    drawn = world.draw_link(rng)
    if drawn is None:
        return None
    user, gold, past, relation, value = drawn
    cards, graph = world.evidence.cards, world.evidence.attributes
    others = [i for i in cards.holders[relation, value] if i != gold]
    if len(others) < 2:
        return None
    anchors = tuple(rng.sample(others, 2))
    if set(graph.edges[anchors[0]][relation]) & set(graph.edges[anchors[1]][relation]) != {value}:
        return None
    condition = world.condition(relation, value)
    flaws = tuple(
        Flaw("one_anchor_only", (world.condition(r, v),), (Claim(kind="fact", subject=anchor, relation=r, value=v),))
        for anchor in anchors
        for r, values in cards.rows[anchor].items()
        for v in values
        if (r, v) != (relation, value)
    )
    opening = tuple(Claim(kind="fact", subject=anchor, relation=relation, value=value) for anchor in anchors)
    return Draft("implicit", user, gold, (condition,), anchors, None, past[-HISTORY:], opening, flaws)
