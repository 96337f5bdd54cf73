"""negation: something asked for and something ruled out ("by X, but not with Y"). Shortcuts: to drop what is ruled out, or to ask for it."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Flaw


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Conditions on the gold's card, two at level 3, and a value that another item with the first of them shows, but the gold has not."""
    drawn = world.draw_rivals(2 if level == 3 else 1, rng)
    if drawn is None:
        return None
    user, gold, past, asked, rivals = drawn
    card = world.evidence.cards.rows[rng.choice(rivals)]
    values = [
        (r, v)
        for r, shown in card.items()
        for v in shown
        if world.evidence.attributes.excludes(gold, r, v) and r != asked[0].relation
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
