"""interest: nothing is named but what the user has just liked; the taste is what those items share. Shortcut: a trait of one of them."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Flaw
from data_engine.schema import Claim

ANCHORS = {
    1: 4,
    2: 3,
    3: 2,
}  # level → liked items named: the fewer, the harder to see what they share


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """The last three liked items of one category before the gold, which have just that one in common; the gold has it too."""
    user, gold, past = world.draw_gold(rng)
    cards, graph, relation = (
        world.evidence.cards,
        world.evidence.attributes,
        world.evidence.cards.category,
    )
    if not cards.rows[gold][relation]:
        return None
    value = rng.choice(cards.rows[gold][relation])
    anchors = tuple(i for i in past if value in cards.rows[i][relation])[-ANCHORS[level] :]
    if len(anchors) < ANCHORS[level] or set.intersection(
        *(set(graph.edges[i][relation]) for i in anchors)
    ) != {value}:
        return None
    flaws = tuple(
        Flaw(
            "one_anchor_only",
            (world.condition(relation, v),),
            (Claim(kind="fact", subject=anchor, relation=relation, value=v),),
        )
        for anchor in anchors
        for v in cards.rows[anchor][relation]
        if v != value
    )
    opening = tuple(
        Claim(kind="fact", subject=anchor, relation=relation, value=value) for anchor in anchors
    )
    return Draft(
        "interest",
        user,
        gold,
        (world.condition(relation, value),),
        anchors,
        None,
        past[-HISTORY:],
        opening,
        flaws,
    )
