"""interest: only what the user has just liked is named; the taste is what those items share.

Shortcut: a trait of one of them.
"""

from collections.abc import Iterator
from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.schema import Claim

# level → liked items named: the fewer, the harder to see what they share
ANCHORS = {1: 4, 2: 3, 3: 2}


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw the last liked items of one category before the gold, which has that category too.

    They have just that one in common.
    """
    user, gold, past = world.draw_gold(rng)
    cards, graph = world.evidence.cards, world.evidence.attributes
    relation = cards.category
    if not cards.rows[gold][relation]:
        return None
    value = rng.choice(cards.rows[gold][relation])
    anchors = tuple(i for i in past if value in cards.rows[i][relation])[-ANCHORS[level] :]
    if len(anchors) < ANCHORS[level]:
        return None
    if set.intersection(*(set(graph.edges[i][relation]) for i in anchors)) != {value}:
        return None
    opening = tuple(Claim(kind="fact", subject=i, relation=relation, value=value) for i in anchors)
    return Draft(
        "interest",
        user,
        gold,
        (world.condition(relation, value),),
        anchors,
        None,
        past[-HISTORY:],
        opening,
        tuple(_flaws(world, anchors, value)),
    )


def _flaws(world: World, anchors: tuple[str, ...], shared: str) -> Iterator[Flaw]:
    """Every other category of one of the items, as if that were the taste."""
    cards = world.evidence.cards
    for anchor in anchors:
        for value in cards.rows[anchor][cards.category]:
            if value != shared:
                claim = Claim(kind="fact", subject=anchor, relation=cards.category, value=value)
                yield Flaw("one_anchor_only", (world.condition(cards.category, value),), (claim,))
