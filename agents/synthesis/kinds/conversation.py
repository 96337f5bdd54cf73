"""conversation: a request that takes shape over level + 1 turns of the user: revealed, refined, from level 2 on with a wish taken back, at level
3 with a correction of the assistant. Shortcuts: to keep what was taken back, or to forget what was added."""

from random import Random

from agents.synthesis.sampling import HISTORY, World
from agents.synthesis.state import Draft, Event, Flaw


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Two conditions on the gold's card; the one taken back is of another relation, and no gold's."""
    user, gold, past = world.draw_gold(rng)
    conditions = world.draw_conditions(gold, 2, rng)
    if conditions is None:
        return None
    first, second = conditions
    graph, holders = world.evidence.attributes, world.evidence.cards.holders
    flaws = [Flaw("condition_dropped", (first,)), Flaw("condition_dropped", (second,))]
    script = [Event("reveal", (first,)), Event("refine", (second,))]
    if level > 1:
        rivals = [i for i in holders[first.relation, first.value] if i != gold]
        rival = rng.choice(rivals) if rivals else gold
        used = {c.relation for c in conditions}
        values = [
            (r, v)
            for r, shown in world.evidence.cards.rows[rival].items()
            for v in shown
            if r not in used and graph.excludes(gold, r, v)
        ]
        if not values:
            return None
        dropped = world.condition(*rng.choice(values))
        flaws.insert(0, Flaw("retracted_kept", (first, dropped)))
        script = [
            Event("reveal", (first, dropped)),
            Event("retract", (dropped,)),
            Event("refine", (second,)),
        ]
    anchors = ()
    if level > 2:
        wrong = [
            i
            for i in holders[first.relation, first.value]
            if i != gold and graph.misses(i, (second,))
        ]
        if not wrong:
            return None
        anchors = (rng.choice(wrong),)
        script.append(Event("correct", (second,), anchors[0]))
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
