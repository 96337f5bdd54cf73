"""explicit: two conditions named outright. Shortcut: to look at one of them only."""

from random import Random

from agents.sampling import HISTORY, World
from agents.state import Draft, Flaw


def draft(world: World, rng: Random) -> Draft | None:
    """Two values on the gold's card, of two relations."""
    user, gold, past = world.draw_gold(rng)
    card = world.evidence.cards.rows[gold]
    relations = [r for r in rng.sample([c.relation for c in world.evidence.cards.columns], 2) if card[r]]
    if len(relations) < 2:
        return None
    conditions = tuple(world.condition(r, rng.choice(card[r])) for r in relations)
    flaws = tuple(Flaw("condition_dropped", (c,)) for c in conditions)
    return Draft("explicit", user, gold, conditions, (), None, past[-HISTORY:], (), flaws)
