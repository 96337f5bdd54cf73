"""implicit: the condition hides behind other items.

Level 1 names one item (one hop), 2 two that share just one value (two hops), 3 describes one by two
facts without naming it (three hops). Shortcut: any other fact of an anchor.
"""

from collections.abc import Iterator
from random import Random

from agents.synthesis.state import Draft, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.schema import Claim, Condition


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw anchors that have one value of a relation in common, which the gold's card shows too.

    The graph knows no other value of that relation that they share.
    """
    drawn = world.draw_link(rng)
    if drawn is None:
        return None
    user, gold, past, relation, value = drawn
    cards, graph = world.evidence.cards, world.evidence.attributes
    others = [i for i in cards.holders[relation, value] if i != gold]
    wanted = 2 if level == 2 else 1
    if len(others) < wanted:
        return None
    anchors = tuple(rng.sample(others, wanted))
    if set.intersection(*(set(graph.edges[i][relation]) for i in anchors)) != {value}:
        return None
    condition = world.condition(relation, value)
    about: tuple[Condition, ...] = ()
    if level == 3:
        described = world.describe(anchors[0], {condition}, rng)
        if described is None or any(graph.has(gold, c.relation, c.value) for c in described):
            return None
        about = described
    known = [
        Claim(kind="fact", subject=anchors[0], relation=c.relation, value=c.value) for c in about
    ]
    hops = [Claim(kind="fact", subject=i, relation=relation, value=value) for i in anchors]
    return Draft(
        "implicit",
        user,
        gold,
        (condition,),
        anchors,
        None,
        past[-HISTORY:],
        (*known, *hops),
        tuple(_flaws(world, anchors, condition)),
        about=about,
    )


def _flaws(world: World, anchors: tuple[str, ...], condition: Condition) -> Iterator[Flaw]:
    """Every other fact on an anchor's card, as if that were asked for."""
    name = "one_anchor_only" if len(anchors) == 2 else "wrong_hop"
    for anchor in anchors:
        for relation, value in world.card_facts(anchor):
            if (relation, value) != (condition.relation, condition.value):
                claim = Claim(kind="fact", subject=anchor, relation=relation, value=value)
                yield Flaw(name, (world.condition(relation, value),), (claim,))
