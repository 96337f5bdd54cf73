"""explicit: as many conditions named outright as the level says.

Shortcut: to look at one of them only.
"""

from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw `level` values on the gold's card, each of another relation."""
    user, gold, past = world.draw_gold(rng)
    conditions = world.draw_conditions(gold, level, rng)
    if conditions is None:
        return None
    flaws = tuple(Flaw("condition_dropped", (c,)) for c in conditions) if level > 1 else ()
    return Draft("explicit", user, gold, conditions, (), None, past[-HISTORY:], (), flaws)
