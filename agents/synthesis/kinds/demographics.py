"""demographics: what a group of users likes more than others do, of one category. Shortcuts: to forget the group or the category."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Flaw
from data_engine.graphs.audience import RELATION


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """A group that the gold is popular with, alone at level 1, else with a value of the gold's card: a category, at level 3 a link."""
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
