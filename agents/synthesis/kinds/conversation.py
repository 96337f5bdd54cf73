"""conversation: a request that takes shape over level + 1 turns of the user.

It is revealed and refined, from level 2 on with a wish taken back, at level 3 with a correction of
the assistant. Shortcuts: to keep what was taken back, or to forget what was added.
"""

from random import Random

from agents.synthesis.state import Draft, Event, Flaw
from agents.synthesis.world import HISTORY, World
from data_engine.schema import Condition

Conditions = tuple[Condition, Condition]


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw two conditions on the gold's card, what is taken back, and what is corrected."""
    user, gold, past = world.draw_gold(rng)
    conditions = world.draw_conditions(gold, 2, rng)
    if conditions is None:
        return None
    first, second = conditions
    flaws = [Flaw("condition_dropped", (first,)), Flaw("condition_dropped", (second,))]
    script = [Event("reveal", (first,)), Event("refine", (second,))]
    if level > 1:
        dropped = _taken_back(world, rng, gold, (first, second))
        if dropped is None:
            return None
        flaws.insert(0, Flaw("retracted_kept", (first, dropped)))
        script = [
            Event("reveal", (first, dropped)),
            Event("retract", (dropped,)),
            Event("refine", (second,)),
        ]
    anchors: tuple[str, ...] = ()
    if level > 2:
        wrong = _wrong_suggestion(world, rng, gold, (first, second))
        if wrong is None:
            return None
        anchors = (wrong,)
        script.append(Event("correct", (second,), wrong))
    return Draft(
        "conversation",
        user,
        gold,
        conditions,
        anchors,
        None,
        past[-HISTORY:],
        (),
        tuple(flaws),
        script=tuple(script),
    )


def _taken_back(world: World, rng: Random, gold: str, conditions: Conditions) -> Condition | None:
    """A value of a relation that is not asked about, on a rival's card and not the gold's."""
    first = conditions[0]
    holders = world.evidence.cards.holders[first.relation, first.value]
    rivals = [i for i in holders if i != gold]
    rival = rng.choice(rivals) if rivals else gold
    used = {c.relation for c in conditions}
    values = [
        (relation, value)
        for relation, value in world.card_facts(rival)
        if relation not in used and world.evidence.attributes.excludes(gold, relation, value)
    ]
    return world.condition(*rng.choice(values)) if values else None


def _wrong_suggestion(world: World, rng: Random, gold: str, conditions: Conditions) -> str | None:
    """An item that meets the first condition and misses the second."""
    first, second = conditions
    holders = world.evidence.cards.holders[first.relation, first.value]
    graph = world.evidence.attributes
    wrong = [i for i in holders if i != gold and graph.misses(i, (second,))]
    return rng.choice(wrong) if wrong else None
