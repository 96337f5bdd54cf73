"""tools: an implicit query that is answered by look-ups in the graph.

The anchor's value is looked up, then which candidates have it. Shortcut: to look up another
relation of the anchor.
"""

from dataclasses import replace
from random import Random

from agents.synthesis.kinds import implicit
from agents.synthesis.state import Draft
from agents.synthesis.world import World
from data_engine.schema import Call


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """Draw an implicit query with one look-up per anchor; `finish` adds the last call."""
    found = implicit.draft(world, rng, level)
    if found is None:
        return None
    edges, relation = world.evidence.attributes.edges, found.conditions[0].relation
    calls = tuple(
        Call(tool="lookup", item=i, relation=relation, result=edges[i][relation])
        for i in found.anchors
    )
    return replace(found, kind="tools", calls=calls)


def finish(draft: Draft, world: World) -> Draft:
    """The draft with the call that sorts its candidates."""
    (asked,) = draft.conditions
    graph = world.evidence.attributes
    having = tuple(i for i in draft.candidates if graph.has(i, asked.relation, asked.value))
    last = Call(tool="holders", relation=asked.relation, value=asked.value, result=having)
    return replace(draft, calls=(*draft.calls, last))
