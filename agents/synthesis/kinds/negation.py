"""negation: something asked for and something ruled out ("by X, but not with Y").

Shortcuts: to drop what is ruled out, or to ask for it.
"""

from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw conditions on the gold's card, two at level 3, and a value that only a rival shows."""
    drawn = world.draw_rivals(2 if level == 3 else 1, rng)
    if drawn is None:
        return None
    user, gold, past, asked, rivals = drawn
    graph = world.evidence.attributes
    values = [
        (relation, value)
        for relation, value in world.card_facts(rng.choice(rivals))
        if relation not in {c.relation for c in asked} and graph.excludes(gold, relation, value)
    ]
    if not values:
        return None
    relation, value = rng.choice(values)
    ruled_out = world.condition(relation, value, "not")
    flaws = (
        Flaw("negation_ignored", (*asked, ruled_out.model_copy(update={"op": "is"}))),
        Flaw("condition_dropped", asked),
    )
    return Draft("negation", user, gold, (*asked, ruled_out), (), None, past[-HISTORY:], (), flaws)
