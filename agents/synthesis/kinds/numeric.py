"""numeric: something asked for and a bound on a number ("before 1990"). Shortcuts: to drop the bound, or to turn it round."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Flaw
from data_engine.facts import number
from data_engine.schema import Condition

ROUND = {1: 10, 2: 5, 3: 1}  # level → how round the bound is


def bound(world: World, item: str, other: str, relation: str, roundness: int) -> Condition | None:
    """A bound that `item` keeps and `other` breaks, as round as may be; None where a value is not known or they are too close."""
    graph = world.evidence.attributes
    mine, its = (world.sole(i, relation) for i in (item, other))
    if mine is None or its is None:
        return None
    keeps, breaks = number(graph.names[mine]), number(graph.names[its])
    at = (
        int(breaks // roundness * roundness)
        if keeps < breaks
        else int(-(-breaks // roundness) * roundness)
    )
    if not (keeps < at or keeps > at) or (keeps < at) != (keeps < breaks):
        return None
    return Condition(
        relation=relation, value=str(at), name=str(at), op="below" if keeps < at else "above"
    )


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """A condition on the gold's card (two at level 3), and a bound that another item with the first of them breaks."""
    drawn = world.draw_rivals(2 if level == 3 else 1, rng)
    if drawn is None:
        return None
    user, gold, past, asked, rivals = drawn
    limit = bound(
        world, gold, rng.choice(rivals), rng.choice(world.evidence.attributes.numeric), ROUND[level]
    )
    if limit is None:
        return None
    turned = limit.model_copy(update={"op": "above" if limit.op == "below" else "below"})
    flaws = (Flaw("bound_turned_round", (*asked, turned)), Flaw("condition_dropped", asked))
    return Draft("numeric", user, gold, (*asked, limit), (), None, past[-HISTORY:], (), flaws)
