"""Query kinds: one module each, and this registry.

How to add a kind:
1. Write a module with `draft(world, rng, level) -> Draft | None`. It draws the facts: user, gold,
   conditions, anchors and tempting shortcuts, without words or candidates. None means that this
   random draw led nowhere. `level` 1..3 makes it easier or harder, 2 is the usual.
2. Name it in `DRAFTS` here, and in `NEEDS` where not every catalogue can carry it.
3. Name it in `data_engine.schema.Kind`.
4. Give it a phrasing in `writers/terse.py` (QUERIES) and in `writers/phrases/frames.toml`.
5. A new shortcut needs a name in its `Flaw`; new words to be checked, a rule in `wording.py`.
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
from agents.synthesis.state import Draft
from agents.synthesis.world import World
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
# kind → whether a world can carry it, and the data that it needs
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
    if not can_carry(kind, world):
        raise UnsupportedKind(f"kind {kind} needs {NEEDS[kind][1]}")


def can_carry(kind: str, world: World) -> bool:
    """Whether the data of a world has what a kind needs."""
    return kind not in NEEDS or NEEDS[kind][0](world)
