"""The world that kinds sample from: evidence with the lists that sampling needs often."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from random import Random
from typing import NamedTuple

from data_engine.errors import DataError
from data_engine.graphs.audience import EVERYONE, RELATION
from data_engine.graphs.evidence import Evidence
from data_engine.names.mentions import NameFinder
from data_engine.names.spoken import spoken_title
from data_engine.schema import Condition, Op

HISTORY = 10  # likes before the gold that an Example keeps
LEAST_LIKES = 5  # of items with a card, for a user to be drawn


class GoldDraw(NamedTuple):
    """An item as gold, a user who likes it, and the user's likes before it, oldest first."""

    user: str
    gold: str
    past: tuple[str, ...]


class LinkDraw(NamedTuple):
    """As `GoldDraw`, with a link relation and one of its values on the gold's card."""

    user: str
    gold: str
    past: tuple[str, ...]
    relation: str
    value: str


class RivalDraw(NamedTuple):
    """As `GoldDraw`, with conditions on the gold's card and the other items that show the first."""

    user: str
    gold: str
    past: tuple[str, ...]
    conditions: tuple[Condition, ...]
    rivals: list[str]


@dataclass(frozen=True)
class World:
    """Evidence, and what follows from it: only items that have a card, only users who like five."""

    evidence: Evidence

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Items with a card, in id order."""
        return tuple(sorted(self.evidence.cards.rows))

    @cached_property
    def liked(self) -> dict[str, tuple[str, ...]]:
        """User → liked items with a card, oldest first."""
        rows, found = self.evidence.cards.rows, {}
        for user, items in self.evidence.interactions.liked.items():
            with_card = tuple(i for i in items if i in rows)
            if len(with_card) >= LEAST_LIKES:
                found[user] = with_card
        return found

    @cached_property
    def users(self) -> tuple[str, ...]:
        """Users to draw from, in id order.

        Raises DataError when no item has a card, or nobody likes five items that have one.
        """
        if not self.items:
            raise DataError(
                "no item has facts that two items share and whose names are theirs alone: "
                "`rerec data doctor` tells which names are shared"
            )
        if not self.liked:
            raise DataError(
                "no user likes five items that have facts: import more ratings or triples"
            )
        return tuple(sorted(self.liked))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Card relations but the category: those that lead from one item to a few others."""
        cards = self.evidence.cards
        return tuple(c.relation for c in cards.columns if c.relation != cards.category)

    @cached_property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Relation → every value shown on some card, sorted."""
        found: dict[str, list[str]] = {c.relation: [] for c in self.evidence.cards.columns}
        for relation, value in self.evidence.cards.holders:
            if relation in found:
                found[relation].append(value)
        return {relation: tuple(sorted(values)) for relation, values in found.items()}

    @cached_property
    def likers(self) -> dict[str, tuple[str, ...]]:
        """Item → the users of `liked` who like it, in item order; only items with such users."""
        found: dict[str, list[str]] = {item: [] for item in self.items}
        for user in self.users:
            for item in self.liked[user]:
                found[item].append(user)
        return {item: tuple(users) for item, users in found.items() if users}

    @cached_property
    def golds(self) -> tuple[str, ...]:
        """Items that somebody likes; gold and negatives are drawn alike, whatever their fame."""
        return tuple(self.likers)

    @cached_property
    def names(self) -> NameFinder:
        """Finds the names of people, companies and the like, as they are spelt.

        They are the attribute names of two words or more.
        """
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
    def spoken(self) -> Counter[str]:
        """How many items go by a title as it is spoken, casefolded."""
        titles = self.evidence.attributes.titles.values()
        return Counter(spoken_title(title).casefold() for title in titles)

    @cached_property
    def audiences(self) -> frozenset[str]:
        """The groups of users that some item is popular with."""
        return frozenset(
            v for r, v in self.evidence.attributes.items_by_edge if r == RELATION and v != EVERYONE
        )

    def draw_gold(self, rng: Random) -> GoldDraw:
        """Draw a gold item, then one of the users who like it."""
        gold = rng.choice(self.golds)
        user = rng.choice(self.likers[gold])
        k = self.liked[user].index(gold)
        return GoldDraw(user, gold, self.liked[user][max(0, k - 3 * HISTORY) : k])

    def draw_link(self, rng: Random) -> LinkDraw | None:
        """Draw a gold item and a link; None when the card has no value of the drawn relation."""
        user, gold, past = self.draw_gold(rng)
        relation = rng.choice(self.links)
        shown = self.evidence.cards.rows[gold][relation]
        return LinkDraw(user, gold, past, relation, rng.choice(shown)) if shown else None

    def draw_conditions(self, gold: str, count: int, rng: Random) -> tuple[Condition, ...] | None:
        """Draw `count` values on the gold's card, each of another relation; None: too few."""
        card = self.evidence.cards.rows[gold]
        columns = [c.relation for c in self.evidence.cards.columns]
        relations = [r for r in rng.sample(columns, min(count, len(columns))) if card[r]]
        if len(relations) < count:
            return None
        return tuple(self.condition(r, rng.choice(card[r])) for r in relations)

    def draw_rivals(self, count: int, rng: Random) -> RivalDraw | None:
        """Draw a gold item and `count` conditions; None where no other item shows the first."""
        user, gold, past = self.draw_gold(rng)
        conditions = self.draw_conditions(gold, count, rng)
        if not conditions:
            return None
        first = conditions[0]
        holders = self.evidence.cards.holders[first.relation, first.value]
        rivals = [i for i in holders if i != gold]
        return RivalDraw(user, gold, past, conditions, rivals) if rivals else None

    def describe(
        self, item: str, without: set[Condition], rng: Random
    ) -> tuple[Condition, Condition] | None:
        """Draw two facts of the item's card that no other item shares; None: there are none.

        None of them is in `without`.
        """
        holders = self.evidence.attributes.items_by_edge
        facts = [self.condition(relation, value) for relation, value in self.card_facts(item)]
        facts = [fact for fact in facts if fact not in without]
        rng.shuffle(facts)
        for one, other in combinations(facts, 2):
            both = set(holders[one.relation, one.value]) & set(holders[other.relation, other.value])
            if both == {item}:
                return one, other
        return None

    def card_facts(self, item: str) -> Iterator[tuple[str, str]]:
        """(relation, value) of all that the item's card shows, in the card's order."""
        for relation, values in self.evidence.cards.rows[item].items():
            for value in values:
                yield relation, value

    def condition(self, relation: str, value: str, op: Op = "is") -> Condition:
        """The Condition for an attribute id."""
        name = self.evidence.attributes.names[value]
        return Condition(relation=relation, value=value, name=name, op=op)

    def bound_met_by(self, item: str, relation: str, value: str) -> Condition:
        """A bound at the number `value`, on the side of it where the item's own number is."""
        name = self.evidence.attributes.names[value]
        below = Condition(relation=relation, value=name, name=name, op="below")
        if self.evidence.attributes.judge(item, below):
            return below
        return below.model_copy(update={"op": "above"})

    def shown(self, item: str, relation: str) -> tuple[str, ...]:
        """The item's values of a relation: its card's, or all where cards have no such column."""
        card = self.evidence.cards.rows[item]
        if relation in card:
            return card[relation]
        return self.evidence.attributes.edges.get(item, {}).get(relation, ())

    def shows(self, item: str, condition: Condition) -> bool:
        """Whether the item meets the condition as far as one can see."""
        if condition.op in ("is", "not"):
            is_shown = condition.value in self.shown(item, condition.relation)
            return is_shown == (condition.op == "is")
        return bool(self.evidence.attributes.judge(item, condition))

    def only_value(self, item: str, relation: str) -> str | None:
        """The item's value of a relation where it has just one."""
        values = self.evidence.attributes.edges.get(item, {}).get(relation, ())
        return values[0] if len(values) == 1 else None

    def is_negative(self, item: str, conditions: tuple[Condition, ...]) -> bool:
        """Whether the graph proves that the item misses a condition.

        Its card must not hide a value that a condition names.
        """
        graph = self.evidence.attributes
        return graph.misses(item, conditions) and all(
            c.value in self.shown(item, c.relation) or not graph.has(item, c.relation, c.value)
            for c in conditions
        )
