"""Fact cards: the few facts of an item that a prompt can afford to show, and from which queries are
made.

A condition that nobody can read off a card cannot be reasoned about from an open book, so agents
sample conditions from cards and prompts print cards; truth is still judged on the whole graph.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from data_engine.graphs.attributes import AttributeGraph
from data_engine.graphs.audience import RELATION as AUDIENCE


@dataclass(frozen=True)
class Column:
    """One relation of the card: how many values it shows, in how many items a value must occur to
    be shown, and whether it may be empty.
    """

    relation: str
    width: int
    shared_by: int
    optional: bool = False


FILM = (
    Column("director", 1, 2),
    Column("starring", 2, 3),
    Column("composer", 1, 3, optional=True),
    Column("genre", 2, 1),
)


def choose_columns(graph: AttributeGraph) -> tuple[Column, ...]:
    """The film columns where the catalogue has them, else the four relations whose shared values
    cover most items.
    """
    if {c.relation for c in FILM} <= set(graph.relations):
        return FILM
    covered: Counter[str] = Counter()
    for by_relation in graph.edges.values():
        for relation, values in by_relation.items():
            covered[relation] += any(len(graph.holders(relation, v)) > 1 for v in values)
    # ties by name: the order of a set differs from process to process
    chosen = sorted(set(graph.relations) - {AUDIENCE}, key=lambda r: (-covered[r], r))[:4]
    return tuple(
        Column(relation, 1 if n else 2, 2, optional=n > 1) for n, relation in enumerate(chosen)
    )


@dataclass(frozen=True)
class Cards:
    """Cards of all items that have enough to show: `rows[item][relation]` are the attribute ids
    shown.
    """

    columns: tuple[Column, ...]
    rows: dict[str, dict[str, tuple[str, ...]]]

    @classmethod
    def from_graph(cls, graph: AttributeGraph) -> "Cards":
        """Make the cards. Left out: items whose title another item has, and items with nothing to
        show in a column that may not be empty.

        Left out too: values whose name belongs to several attributes (a name is no identity).
        """
        columns = choose_columns(graph)
        names, titles = Counter(graph.names.values()), Counter(graph.titles.values())
        rows = {}
        for item, title in graph.titles.items():
            by = graph.edges.get(item, {})
            row = {}
            for c in columns:
                fit = [
                    v
                    for v in by.get(c.relation, ())
                    if len(graph.holders(c.relation, v)) >= c.shared_by
                    and names[graph.names[v]] == 1
                ]
                row[c.relation] = tuple(fit[: c.width])
            if titles[title] == 1 and all(row[c.relation] or c.optional for c in columns):
                rows[item] = row
        return cls(columns, rows)

    @cached_property
    def holders(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """(relation, attribute) → items whose card shows it, in id order."""
        held: dict[tuple[str, str], list[str]] = {}
        for item in sorted(self.rows):
            for relation, values in self.rows[item].items():
                for value in values:
                    held.setdefault((relation, value), []).append(item)
        return {edge: tuple(items) for edge, items in held.items()}

    @cached_property
    def category(self) -> str:
        """The relation whose values hold most items each: the taste-like one (genre in films)."""
        sizes: dict[str, list[int]] = {}
        for (relation, _), items in self.holders.items():
            sizes.setdefault(relation, []).append(len(items))
        return max(sorted(sizes), key=lambda r: sum(sizes[r]) / len(sizes[r]))
