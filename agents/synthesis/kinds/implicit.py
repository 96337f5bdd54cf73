"""implicit: the condition hides behind other items. Level 1 names one item (a hop), 2 two that share just one value (two hops), 3 describes
one by two facts without naming it (three hops). Shortcut: any other fact of an anchor."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Flaw
from data_engine.schema import Claim


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Anchors whose shared value of one relation is one alone in the graph, and shown on their cards; the gold shows it too."""
    drawn = world.draw_link(rng)
    if drawn is None:
        return None
    user, gold, past, relation, value = drawn
    cards, graph = world.evidence.cards, world.evidence.attributes
    others = [i for i in cards.holders[relation, value] if i != gold]
    wanted = 2 if level == 2 else 1
    if len(others) < wanted:
        return None
    anchors = tuple(rng.sample(others, wanted))
    if set.intersection(*(set(graph.edges[i][relation]) for i in anchors)) != {value}:
        return None
    condition, about = world.condition(relation, value), ()
    if level == 3:
        about = world.describe(anchors[0], {condition}, rng)
        if about is None or any(graph.has(gold, c.relation, c.value) for c in about):
            return None
    flaws = tuple(
        Flaw(
            "one_anchor_only" if wanted == 2 else "wrong_hop",
            (world.condition(r, v),),
            (Claim(kind="fact", subject=anchor, relation=r, value=v),),
        )
        for anchor in anchors
        for r, values in cards.rows[anchor].items()
        for v in values
        if (r, v) != (relation, value)
    )
    known = tuple(
        Claim(kind="fact", subject=anchors[0], relation=c.relation, value=c.value) for c in about
    )
    opening = known + tuple(
        Claim(kind="fact", subject=anchor, relation=relation, value=value) for anchor in anchors
    )
    return Draft(
        "implicit",
        user,
        gold,
        (condition,),
        anchors,
        None,
        past[-HISTORY:],
        opening,
        flaws,
        about=about,
    )
