"""numeric: something asked for and a bound on a number ("before 1990").

Shortcuts: to drop the bound, or to turn it round.
"""

from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.facts import number
from data_engine.schema import Condition

ROUND = {1: 10, 2: 5, 3: 1}  # level → how round the bound is


def bound(world: World, item: str, other: str, relation: str, roundness: int) -> Condition | None:
    """A bound that `item` keeps and `other` breaks, as round as may be.

    None where a value is not known or the two are too close.
    """
    keeps, breaks = (_number(world, i, relation) for i in (item, other))
    if keeps is None or breaks is None:
        return None
    if keeps < breaks:
        limit = int(breaks // roundness * roundness)
    else:
        limit = int(-(-breaks // roundness) * roundness)
    if keeps == limit or (keeps < limit) != (keeps < breaks):
        return None
    op = "below" if keeps < limit else "above"
    return Condition(relation=relation, value=str(limit), name=str(limit), op=op)


def _number(world: World, item: str, relation: str) -> float | None:
    """The item's number where it has just one value that is one."""
    value = world.only_value(item, relation)
    return None if value is None else number(world.evidence.attributes.names[value])


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw conditions on the gold's card, two at level 3, and a bound that a rival breaks."""
    drawn = world.draw_rivals(2 if level == 3 else 1, rng)
    if drawn is None:
        return None
    user, gold, past, asked, rivals = drawn
    rival, relation = rng.choice(rivals), rng.choice(world.evidence.attributes.numeric)
    limit = bound(world, gold, rival, relation, ROUND[level])
    if limit is None:
        return None
    turned = limit.model_copy(update={"op": "above" if limit.op == "below" else "below"})
    flaws = (Flaw("bound_turned_round", (*asked, turned)), Flaw("condition_dropped", asked))
    return Draft("numeric", user, gold, (*asked, limit), (), None, past[-HISTORY:], (), flaws)
