"""misinformed: the query credits an item to the wrong person.

At level 3 it also names a true condition. Shortcut: to believe it.
"""

from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.schema import Claim, Condition


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw an anchor with exactly one value of a relation, which the gold shares, and a false one.

    The graph knows one value only, so that the truth is one.
    """
    drawn = world.draw_link(rng)
    if drawn is None:
        return None
    user, gold, past, relation, value = drawn
    cards, graph = world.evidence.cards, world.evidence.attributes
    holders = cards.holders[relation, value]
    others = [i for i in holders if i != gold and graph.edges[i][relation] == (value,)]
    false = rng.choice(world.values[relation])
    if not others or graph.has(gold, relation, false):
        return None
    anchor = rng.choice(others)
    if not graph.excludes(anchor, relation, false):
        return None
    premise = Claim(kind="fact", subject=anchor, relation=relation, value=false)
    opening = (
        premise.model_copy(update={"holds": False}),
        Claim(kind="fact", subject=anchor, relation=relation, value=value),
    )
    more = _category(world, rng, gold) if level == 3 else ()
    if more is None:
        return None
    flaws = (Flaw("premise_trusted", (world.condition(relation, false), *more), (premise,)),)
    return Draft(
        "misinformed",
        user,
        gold,
        (world.condition(relation, value), *more),
        (anchor,),
        premise,
        past[-HISTORY:],
        opening,
        flaws,
    )


def _category(world: World, rng: Random, gold: str) -> tuple[Condition] | None:
    """A condition on a category that the gold's card shows; None where it shows none."""
    category = world.evidence.cards.category
    shown = world.evidence.cards.rows[gold][category]
    return (world.condition(category, rng.choice(shown)),) if shown else None
