"""What every kind samples from, and the candidates that every draft gets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from random import Random

from agents.synthesis.state import Draft
from data_engine.errors import DataError
from data_engine.graphs.audience import EVERYONE, RELATION
from data_engine.graphs.evidence import Evidence
from data_engine.names.mentions import NameFinder
from data_engine.schema import Condition, Op

HISTORY = 10
HARD = {
    1: (1, 1),
    2: (2, 3),
    3: (4, 4),
}  # level → fifths of the negatives that are hard, at least and at most


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
        kept = {
            user: tuple(i for i in items if i in rows)
            for user, items in self.evidence.interactions.liked.items()
        }
        return {user: items for user, items in kept.items() if len(items) >= 5}

    @cached_property
    def users(self) -> tuple[str, ...]:
        """Users to draw from, in id order. Raises DataError when nobody liked five items that have a card."""
        if not self.liked:
            raise DataError(
                "no user likes five items that have facts: import more ratings or triples"
            )
        return tuple(sorted(self.liked))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The other card relations: those that lead from one item to a few others."""
        return tuple(
            c.relation
            for c in self.evidence.cards.columns
            if c.relation != self.evidence.cards.category
        )

    @cached_property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Relation → every value shown on some card, sorted."""
        return {
            c.relation: tuple(sorted(v for r, v in self.evidence.cards.holders if r == c.relation))
            for c in self.evidence.cards.columns
        }

    @cached_property
    def likers(self) -> dict[str, tuple[str, ...]]:
        """Item → the users of `liked` who like it, in item order; only items that somebody likes."""
        found: dict[str, list[str]] = {item: [] for item in self.items}
        for user in self.users:
            for item in self.liked[user]:
                found[item].append(user)
        return {item: tuple(users) for item, users in found.items() if users}

    @cached_property
    def golds(self) -> tuple[str, ...]:
        """Items that somebody likes, from which gold and negatives are drawn alike, so that fame tells nothing."""
        return tuple(self.likers)

    def draw_gold(self, rng: Random) -> tuple[str, str, tuple[str, ...]]:
        """An item as gold, one of the users who like it, and the user's likes before it, oldest first."""
        gold = rng.choice(self.golds)
        user = rng.choice(self.likers[gold])
        k = self.liked[user].index(gold)
        return user, gold, self.liked[user][max(0, k - 3 * HISTORY) : k]

    def draw_link(self, rng: Random) -> tuple[str, str, tuple[str, ...], str, str] | None:
        """As `draw_gold`, with a link relation and one of its values on the gold's card; None when the card has none."""
        user, gold, past = self.draw_gold(rng)
        relation = rng.choice(self.links)
        shown = self.evidence.cards.rows[gold][relation]
        return (user, gold, past, relation, rng.choice(shown)) if shown else None

    def draw_conditions(self, gold: str, count: int, rng: Random) -> tuple[Condition, ...] | None:
        """So many values on the gold's card, each of another relation; None when it shows too few."""
        card, columns = (
            self.evidence.cards.rows[gold],
            [c.relation for c in self.evidence.cards.columns],
        )
        relations = [r for r in rng.sample(columns, min(count, len(columns))) if card[r]]
        return (
            tuple(self.condition(r, rng.choice(card[r])) for r in relations)
            if len(relations) == count
            else None
        )

    def draw_rivals(
        self, count: int, rng: Random
    ) -> tuple[str, str, tuple[str, ...], tuple[Condition, ...], list[str]] | None:
        """As `draw_gold`, with `count` conditions on the gold's card and the other items that show the first; None when there are none."""
        user, gold, past = self.draw_gold(rng)
        asked = self.draw_conditions(gold, count, rng)
        rivals = (
            [i for i in self.evidence.cards.holders[asked[0].relation, asked[0].value] if i != gold]
            if asked
            else []
        )
        return (user, gold, past, asked, rivals) if rivals else None

    def describe(
        self, item: str, without: set[Condition], rng: Random
    ) -> tuple[Condition, ...] | None:
        """Two facts of the item's card that no other item shares, none of them in `without`; None where there are none."""
        card, graph = self.evidence.cards.rows[item], self.evidence.attributes
        facts = [
            c
            for r, values in card.items()
            for c in (self.condition(r, v) for v in values)
            if c not in without
        ]
        rng.shuffle(facts)
        for one, other in combinations(facts, 2):
            both = (set(graph.holders(c.relation, c.value)) for c in (one, other))
            if set.intersection(*both) == {item}:
                return one, other
        return None

    def against(self, item: str, relation: str, value: str) -> Condition:
        """The side of the number `value` on which the item's own number is."""
        name = self.evidence.attributes.names[value]
        below = Condition(relation=relation, value=name, name=name, op="below")
        return (
            below
            if self.evidence.attributes.judge(item, below)
            else below.model_copy(update={"op": "above"})
        )

    @cached_property
    def names(self) -> NameFinder:
        """Finds the names of people, companies and the like: attribute names of two words or more, as they are spelt."""
        found = self.evidence.attributes.names.items()
        return NameFinder(
            (
                (name, value)
                for value, name in found
                if " " in name and not value.startswith(RELATION)
            ),
            fold_case=False,
        )

    @cached_property
    def audiences(self) -> frozenset[str]:
        """The groups of users that some item is popular with."""
        return frozenset(
            v for r, v in self.evidence.attributes.items_by_edge if r == RELATION and v != EVERYONE
        )

    def condition(self, relation: str, value: str, op: Op = "is") -> Condition:
        """The Condition for an attribute id."""
        return Condition(
            relation=relation, value=value, name=self.evidence.attributes.names[value], op=op
        )

    def shown(self, item: str, relation: str) -> tuple[str, ...]:
        """The item's values of a relation: those on its card, or all where cards have no such column."""
        card = self.evidence.cards.rows[item]
        return (
            card[relation]
            if relation in card
            else self.evidence.attributes.edges.get(item, {}).get(relation, ())
        )

    def shows(self, item: str, condition: Condition) -> bool:
        """Whether the item meets the condition as far as one can see."""
        if condition.op in ("is", "not"):
            return (condition.value in self.shown(item, condition.relation)) == (
                condition.op == "is"
            )
        return bool(self.evidence.attributes.judge(item, condition))

    def sole(self, item: str, relation: str) -> str | None:
        """The item's value of a relation where it has just one."""
        values = self.evidence.attributes.edges.get(item, {}).get(relation, ())
        return values[0] if len(values) == 1 else None

    def is_negative(self, item: str, conditions: tuple[Condition, ...]) -> bool:
        """Whether the graph proves that the item misses a condition, and its card hides no value that a condition names."""
        graph = self.evidence.attributes
        return graph.misses(item, conditions) and all(
            c.value in self.shown(item, c.relation) or not graph.has(item, c.relation, c.value)
            for c in conditions
        )


def add_candidates(draft: Draft, world: World, rng: Random, size: int) -> Draft | None:
    """Draw hard negatives (they meet one condition, share a fact with an anchor or fit a tempting flaw), more for a higher level; fill up at
    random, shuffle by seed. Negatives are drawn as gold is, so that fame tells nothing. None when the catalogue has too few.
    """
    taken = {draft.gold, *draft.anchors, *(event.item for event in draft.script)}
    chosen: list[str] = []

    def take(pool: Sequence[str], most: int) -> None:
        for item in rng.sample(pool, len(pool)):
            if len(chosen) >= most:
                return
            if (
                item not in taken
                and item in world.likers
                and world.is_negative(item, draft.conditions)
            ):
                taken.add(item)
                chosen.append(item)

    holders = world.evidence.cards.holders
    tempting = [holders.get((c.relation, c.value), ()) for flaw in draft.flaws for c in flaw.needs]
    rng.shuffle(tempting)
    want = max(1, rng.randint(*HARD[draft.level]) * (size - 1) // 5)
    for pool in tempting[:want]:
        take(pool, len(chosen) + 1)
    for anchor in draft.anchors:
        near = [
            i
            for r, vs in world.evidence.cards.rows[anchor].items()
            for v in vs
            for i in rng.sample(holders[r, v], min(3, len(holders[r, v])))
        ]
        take(near, want)
    hard = len(chosen)
    for _ in range(50 * size):
        if len(chosen) == size - 1:
            break
        take([rng.choice(world.golds)], size - 1)
    if len(chosen) < size - 1:
        return None
    seed = rng.randrange(2**31)
    candidates = [draft.gold, *sorted(chosen)]
    Random(seed).shuffle(candidates)
    return replace(draft, candidates=tuple(candidates), hard=hard, shuffle_seed=seed)
