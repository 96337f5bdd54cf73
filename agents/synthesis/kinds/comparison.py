"""comparison: like an item, but different in one thing.

"Like A, same director, but a comedy", "… but newer". Shortcuts: to forget the item or the
difference.
"""

from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.schema import Claim, Condition


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw an anchor with just one value of a link relation, which the gold shares, and a contrast.

    The contrast is a number on the gold's side of the anchor's or, at level 3 or where there are
    no numbers, a category that the gold has and the anchor has not.
    """
    drawn = world.draw_link(rng)
    if drawn is None:
        return None
    user, gold, past, relation, value = drawn
    others = [
        i
        for i in world.evidence.cards.holders[relation, value]
        if i != gold and world.only_value(i, relation) == value
    ]
    if not others:
        return None
    anchor, same = rng.choice(others), world.condition(relation, value)
    contrast = _contrast(world, rng, level, gold, anchor)
    if contrast is None:
        return None
    opening = _opening(world, anchor, same, contrast)
    flaws = (
        Flaw("condition_dropped", (same,), opening[:1]),
        Flaw("condition_dropped", (contrast,), opening[1:]),
    )
    return Draft(
        "comparison",
        user,
        gold,
        (same, contrast),
        (anchor,),
        None,
        past[-HISTORY:],
        opening,
        flaws,
        contrast=contrast,
    )


def _opening(world: World, anchor: str, same: Condition, contrast: Condition) -> tuple[Claim, ...]:
    """What the anchor has: the shared value and, where the contrast is a bound, its number."""
    shared = Claim(kind="fact", subject=anchor, relation=same.relation, value=same.value)
    number = world.only_value(anchor, contrast.relation)
    if contrast.op == "is" or number is None:
        return (shared,)
    return (shared, Claim(kind="fact", subject=anchor, relation=contrast.relation, value=number))


def _contrast(world: World, rng: Random, level: int, gold: str, anchor: str) -> Condition | None:
    """A condition that the gold meets and the anchor does not."""
    graph, cards = world.evidence.attributes, world.evidence.cards
    if level < 3 and graph.numeric:
        measure = rng.choice(graph.numeric)
        gold_value = world.only_value(gold, measure)
        anchor_value = world.only_value(anchor, measure)
        if not gold_value or not anchor_value or gold_value == anchor_value:
            return None
        return world.bound_met_by(gold, measure, anchor_value)
    categories = cards.rows[gold][cards.category]
    values = [v for v in categories if graph.excludes(anchor, cards.category, v)]
    return world.condition(cards.category, rng.choice(values)) if values else None
