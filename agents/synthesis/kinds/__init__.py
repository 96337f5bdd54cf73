"""Query kinds: one module each, one function `draft(world, rng, level) -> Draft | None`, and this dict as the registry.

A draft fixes the facts (user, gold, conditions, anchors, tempting shortcuts) without words or candidates; None means that
this random draw led nowhere. `level` 1..3 makes it easier or harder, 2 is the usual. To add a kind: write the module, name it
here, in `NEEDS` where not every catalogue can carry it, and in `data_engine.schema.Kind`.
"""

from collections.abc import Callable
from random import Random

from agents.synthesis.kinds import (
    comparison,
    conversation,
    demographics,
    explicit,
    implicit,
    interest,
    misinformed,
    negation,
    numeric,
    tools,
)
from agents.synthesis.sampling import World
from agents.synthesis.state import Draft
from data_engine.errors import UnsupportedKind

DRAFTS: dict[str, Callable[[World, Random, int], Draft | None]] = {
    "explicit": explicit.draft,
    "implicit": implicit.draft,
    "misinformed": misinformed.draft,
    "interest": interest.draft,
    "demographics": demographics.draft,
    "negation": negation.draft,
    "numeric": numeric.draft,
    "comparison": comparison.draft,
    "conversation": conversation.draft,
    "tools": tools.draft,
}
NEEDS: dict[str, tuple[Callable[[World], bool], str]] = {
    "demographics": (
        lambda world: bool(world.audiences),
        "user columns age, gender or occupation: this store's users have none of them",
    ),
    "numeric": (
        lambda world: bool(world.evidence.attributes.numeric),
        "a relation whose values are numbers, such as year: this store has none",
    ),
}


def check_kind(kind: str, world: World) -> None:
    """Raise UnsupportedKind when there is no such kind or the data cannot carry it."""
    if kind not in DRAFTS:
        raise UnsupportedKind(f"no kind {kind!r}: choose from {', '.join(DRAFTS)}")
    fits, needed = NEEDS.get(kind, (lambda world: True, ""))
    if not fits(world):
        raise UnsupportedKind(f"kind {kind} needs {needed}")
