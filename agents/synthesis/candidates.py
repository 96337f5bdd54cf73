"""Candidates: the gold item among negatives, some of them hard."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from agents.synthesis.state import Draft
from agents.synthesis.world import World

# level → fifths of the negatives that are hard, at least and at most
HARD = {1: (1, 1), 2: (2, 3), 3: (4, 4)}
TRIES = 50  # random draws per candidate before a draft is given up
NEAR = 3  # items per fact of an anchor that are tried as hard negatives


def add_candidates(draft: Draft, world: World, rng: Random, size: int) -> Draft | None:
    """Return the draft with `size` candidates, None when the catalogue has too few.

    Hard negatives come first, more of them for a higher level: they fit a tempting flaw or share
    a fact with an anchor. Random items fill up, and the seed shuffles. Negatives are drawn as gold
    is, so that popularity tells nothing.
    """
    negatives = _Negatives(draft, world, rng)
    tempting = list(_tempting(draft, world))
    rng.shuffle(tempting)
    want = max(1, rng.randint(*HARD[draft.level]) * (size - 1) // 5)
    for pool in tempting[:want]:
        negatives.take(pool, len(negatives.chosen) + 1)
    for anchor in draft.anchors:
        negatives.take(_near(anchor, world, rng), want)
    hard = len(negatives.chosen)
    for _ in range(TRIES * size):
        if len(negatives.chosen) == size - 1:
            break
        negatives.take([rng.choice(world.golds)], size - 1)
    if len(negatives.chosen) < size - 1:
        return None
    seed = rng.randrange(2**31)
    candidates = [draft.gold, *sorted(negatives.chosen)]
    Random(seed).shuffle(candidates)
    return replace(draft, candidates=tuple(candidates), hard=hard, shuffle_seed=seed)


class _Negatives:
    """Items that the graph proves to miss a condition, each chosen once."""

    def __init__(self, draft: Draft, world: World, rng: Random) -> None:
        self.draft, self.world, self.rng = draft, world, rng
        self.chosen: list[str] = []
        self._taken = {draft.gold, *draft.anchors, *(event.item for event in draft.script)}

    def take(self, pool: Sequence[str], most: int) -> None:
        """Choose items of the pool in random order until there are `most`."""
        for item in self.rng.sample(pool, len(pool)):
            if len(self.chosen) >= most:
                return
            if (
                item not in self._taken
                and item in self.world.likers
                and self.world.is_negative(item, self.draft.conditions)
            ):
                self._taken.add(item)
                self.chosen.append(item)


def _tempting(draft: Draft, world: World) -> Iterator[Sequence[str]]:
    """Per wrong need of a flaw the items that meet it."""
    holders = world.evidence.cards.holders
    for flaw in draft.flaws:
        for condition in flaw.needs:
            yield holders.get((condition.relation, condition.value), ())


def _near(anchor: str, world: World, rng: Random) -> list[str]:
    """Some items per fact that they share with the anchor."""
    holders, found = world.evidence.cards.holders, list[str]()
    for fact in world.card_facts(anchor):
        held = holders[fact]
        found += rng.sample(held, min(NEAR, len(held)))
    return found
