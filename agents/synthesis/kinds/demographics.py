"""demographics: what a group of users likes more than others do, of one category.

Shortcuts: to forget the group or the category.
"""

from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.graphs.audience import RELATION


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw a group that the gold is popular with and, above level 1, a value on the gold's card.

    The value is a category at level 2, a link at level 3.
    """
    user, gold, past = world.draw_gold(rng)
    groups = [
        v for v in world.evidence.attributes.edges[gold].get(RELATION, ()) if v in world.audiences
    ]
    if not groups:
        return None
    group = world.condition(RELATION, rng.choice(groups))
    if level == 1:
        return Draft("demographics", user, gold, (group,), (), None, past[-HISTORY:], (), ())
    relation = world.evidence.cards.category if level == 2 else rng.choice(world.links)
    shown = world.evidence.cards.rows[gold][relation]
    if not shown:
        return None
    other = world.condition(relation, rng.choice(shown))
    flaws = (Flaw("condition_dropped", (other,)), Flaw("condition_dropped", (group,)))
    return Draft("demographics", user, gold, (group, other), (), None, past[-HISTORY:], (), flaws)
