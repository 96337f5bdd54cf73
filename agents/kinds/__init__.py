"""Query kinds: one module each, one function `draft(world, rng) -> Draft | None`, and this dict as the registry.

A draft fixes the facts (user, gold, conditions, anchors, tempting shortcuts) without words or candidates; None means that
this random draw led nowhere. To add a kind: write the module, name it here and in `data_engine.schema.KINDS`.
"""

from collections.abc import Callable
from random import Random

from agents.kinds import explicit, implicit, interest, misinformed
from agents.sampling import World
from agents.state import Draft
from data_engine.errors import UnsupportedKind

DRAFTS: dict[str, Callable[[World, Random], Draft | None]] = {
    "explicit": explicit.draft,
    "implicit": implicit.draft,
    "misinformed": misinformed.draft,
    "interest": interest.draft,
}


def check_kind(kind: str, world: World) -> None:
    """Raise UnsupportedKind when there is no such kind or the data cannot carry it."""
    if kind == "demographics" and not world.evidence.demographics:
        raise UnsupportedKind("kind demographics needs user columns age, gender or occupation: this store's users have none of them")
    if kind not in DRAFTS:
        raise UnsupportedKind(f"no kind {kind!r}: choose from {', '.join(DRAFTS)}")
