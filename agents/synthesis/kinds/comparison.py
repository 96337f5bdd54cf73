"""comparison: like an item, but different in one thing ("like A, same director, but a comedy", "… but newer"). Shortcuts: to forget the item
or the difference."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Flaw
from data_engine.schema import Claim


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """An anchor that has just one value of a link relation, which the gold shares; and a number on the gold's side of the anchor's or, at
    level 3 or where there are no numbers, a category that the gold has and the anchor has not."""
    drawn = world.draw_link(rng)
    if drawn is None:
        return None
    user, gold, past, relation, value = drawn
    others = [
        i
        for i in world.evidence.cards.holders[relation, value]
        if i != gold and world.sole(i, relation) == value
    ]
    if not others:
        return None
    anchor, graph, category = (
        rng.choice(others),
        world.evidence.attributes,
        world.evidence.cards.category,
    )
    if level < 3 and graph.numeric:
        measure = rng.choice(graph.numeric)
        mine, its = world.sole(gold, measure), world.sole(anchor, measure)
        contrast = world.against(gold, measure, its) if mine and its and mine != its else None
    else:
        values = [
            v
            for v in world.evidence.cards.rows[gold][category]
            if graph.excludes(anchor, category, v)
        ]
        contrast = world.condition(category, rng.choice(values)) if values else None
    if contrast is None:
        return None
    same = world.condition(relation, value)
    opening = [Claim(kind="fact", subject=anchor, relation=relation, value=value)]
    if contrast.op != "is":
        opening.append(
            Claim(
                kind="fact",
                subject=anchor,
                relation=contrast.relation,
                value=world.sole(anchor, contrast.relation),
            )
        )
    flaws = (
        Flaw("condition_dropped", (same,), tuple(opening[:1])),
        Flaw("condition_dropped", (contrast,), tuple(opening[1:])),
    )
    return Draft(
        "comparison",
        user,
        gold,
        (same, contrast),
        (anchor,),
        None,
        past[-HISTORY:],
        tuple(opening),
        flaws,
        contrast=contrast,
    )
