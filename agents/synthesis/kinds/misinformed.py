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
    others = [
        i
        for i in cards.holders[relation, value]
        if i != gold and graph.edges[i][relation] == (value,)
    ]
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
    more: tuple[Condition, ...] = ()
    if level == 3:
        shown = cards.rows[gold][cards.category]
        if not shown:
            return None
        more = (world.condition(cards.category, rng.choice(shown)),)
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
