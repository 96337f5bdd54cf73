"""What every kind samples from, and the candidates that every draft gets."""

from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from agents.state import Draft
from data_engine.errors import DataError
from data_engine.evidence import Evidence
from data_engine.schema import Condition

HISTORY = 10


@dataclass(frozen=True)
class World:
    """Evidence with the lists that sampling needs often: only items that have a card, only users with five likes among them."""

    evidence: Evidence

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Items with a card, in id order."""
        return tuple(sorted(self.evidence.cards.rows))

    @cached_property
    def liked(self) -> dict[str, tuple[str, ...]]:
        """User → liked items with a card, oldest first."""
        rows = self.evidence.cards.rows
        kept = {user: tuple(i for i in items if i in rows) for user, items in self.evidence.interactions.liked.items()}
        return {user: items for user, items in kept.items() if len(items) >= 5}

    @cached_property
    def users(self) -> tuple[str, ...]:
        """Users to draw from, in id order. Raises DataError when nobody liked five items that have a card."""
        if not self.liked:
            raise DataError("no user likes five items that have facts: import more ratings or triples")
        return tuple(sorted(self.liked))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The other card relations: those that lead from one item to a few others."""
        return tuple(c.relation for c in self.evidence.cards.columns if c.relation != self.evidence.cards.category)

    @cached_property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Relation → every value shown on some card, sorted."""
        return {c.relation: tuple(sorted(v for r, v in self.evidence.cards.holders if r == c.relation)) for c in self.evidence.cards.columns}

    def draw_gold(self, rng: Random) -> tuple[str, str, tuple[str, ...]]:
        """A user, one of their liked items as gold, and the likes before it, oldest first."""
        user = self.users[rng.randrange(len(self.users))]
        likes = self.liked[user]
        k = rng.randrange(len(likes))
        return user, likes[k], likes[max(0, k - 3 * HISTORY) : k]

    def draw_link(self, rng: Random) -> tuple[str, str, tuple[str, ...], str, str] | None:
        """As `draw_gold`, with a link relation and one of its values on the gold's card; None when the card has none."""
        user, gold, past = self.draw_gold(rng)
        relation = rng.choice(self.links)
        shown = self.evidence.cards.rows[gold][relation]
        return (user, gold, past, relation, rng.choice(shown)) if shown else None

    def condition(self, relation: str, value: str) -> Condition:
        """The Condition for an attribute id."""
        return Condition(relation=relation, value=value, name=self.evidence.attributes.names[value])

    def is_negative(self, item: str, conditions: tuple[Condition, ...]) -> bool:
        """Whether the graph proves that the item misses a condition, and its card hides no condition that it does meet."""
        graph, shown = self.evidence.attributes, self.evidence.cards.rows[item]
        return any(graph.excludes(item, c.relation, c.value) for c in conditions) and all(
            c.value in shown[c.relation] or not graph.has(item, c.relation, c.value) for c in conditions
        )


def add_candidates(draft: Draft, world: World, rng: Random, size: int) -> Draft | None:
    """Draw hard negatives (they meet one condition, share a fact with an anchor or fit a tempting flaw), fill up at random, shuffle by seed.

    None when the catalogue has too few negatives.
    """
    taken = {draft.gold, *draft.anchors}
    chosen: list[str] = []

    def take(pool: list[str], most: int) -> None:
        rng.shuffle(pool)
        for item in pool:
            if len(chosen) >= most:
                return
            if item not in taken and world.is_negative(item, draft.conditions):
                taken.add(item)
                chosen.append(item)

    holders = world.evidence.cards.holders
    tempting = [list(holders.get((c.relation, c.value), ())) for flaw in draft.flaws for c in flaw.needs]
    rng.shuffle(tempting)
    want = rng.randint(2, 3) * (size - 1) // 5
    for pool in tempting[:want]:
        take(pool, len(chosen) + 1)
    for anchor in draft.anchors:
        near = [i for r, vs in world.evidence.cards.rows[anchor].items() for v in vs for i in rng.sample(holders[r, v], min(3, len(holders[r, v])))]
        take(near, want)
    hard = len(chosen)
    for _ in range(50 * size):
        if len(chosen) == size - 1:
            break
        take([world.items[rng.randrange(len(world.items))]], size - 1)
    if len(chosen) < size - 1:
        return None
    seed = rng.randrange(2**31)
    candidates = [draft.gold, *sorted(chosen)]
    Random(seed).shuffle(candidates)
    return replace(draft, candidates=tuple(candidates), hard=hard, shuffle_seed=seed)
