"""tools: an implicit query that is answered by look-ups in the graph: the anchor's value, then which candidates have it. Shortcut: to look up
another relation of the anchor."""

from dataclasses import replace
from random import Random

from agents.synthesis.kinds import implicit
from agents.synthesis.sampling import World
from agents.synthesis.state import Draft
from data_engine.schema import Call


def draft(world: World, rng: Random, level: int) -> Draft | None:
    """An implicit draft with a lookup for each anchor; `finish` adds what needs the candidates."""
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
    having = tuple(
        i for i in draft.candidates if world.evidence.attributes.has(i, asked.relation, asked.value)
    )
    return replace(
        draft,
        calls=(
            *draft.calls,
            Call(tool="holders", relation=asked.relation, value=asked.value, result=having),
        ),
    )
