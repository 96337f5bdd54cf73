"""Look-ups in one catalogue by the names that people write: items by title, values by name."""

from agents.assistant.catalogue import Catalogue
from agents.assistant.understanding.names import CatalogueNames
from data_engine.errors import DataError
from data_engine.facts import number
from data_engine.names.titles import key

TOLD = 5  # items that a title may mean, which an error lists
SHOWN = 100  # characters of what was asked that an error repeats


class Reference:
    """Nothing is guessed: what is not known, or means several items, raises DataError that says
    what there is.
    """

    def __init__(self, catalogue: Catalogue, names: CatalogueNames) -> None:
        self._catalogue, self._graph, self._names = catalogue, catalogue.graph, names

    @property
    def relations(self) -> tuple[str, ...]:
        """What is known of items, sorted."""
        return tuple(self._graph.relations)

    def items(self, title: str) -> tuple[str, ...]:
        """The items that go by a title (with or without its year) or an id, best liked first."""
        return self._best_first(self._names.titled(title).items or self._with_id(title))

    def item(self, title: str) -> str:
        """The one item of a title or an id."""
        found, whole = self._names.titled(title)
        if not found:
            found, whole = self._with_id(title), True
        if len(found) == 1 and whole:
            return found[0]
        said = repr(title[:SHOWN])
        if not found:
            raise DataError(f"{said} is no item here")
        items = self._best_first(found)
        told = "; ".join(f"{self._graph.title(item)} (id {item})" for item in items[:TOLD])
        more = f" and {len(items) - TOLD} more" if len(items) > TOLD else ""
        raise DataError(f"{said} may be {told}{more}: give the whole title, or the id")

    def values(self, item: str, relation: str) -> list[str]:
        """The names of an item's values, as credited; [] where the relation is not known for it."""
        self._check(relation)
        return [self._graph.name(value) for value in self._graph.values(item, relation)]

    def holders(self, relation: str, value: str) -> tuple[str, ...]:
        """The items that have a value of this name, best liked first; of people who share a name,
        the items of all.
        """
        self._check(relation)
        found = list[str]()
        for known in self.bearers(relation, value):
            found += self._graph.holders(relation, known)
        if not found:
            raise DataError(f"{value[:SHOWN]!r} is the {relation} of no item here")
        return self._best_first(tuple(dict.fromkeys(found)))

    def bearers(self, relation: str, name: str) -> tuple[str, ...]:
        """The values of a known relation that have a name, or are the number that it is."""
        return tuple(self._bearers(relation, name))

    def _check(self, relation: str) -> None:
        if relation not in self.relations:
            known = ", ".join(self.relations)
            raise DataError(f"no relation {relation[:SHOWN]!r}: choose from {known}")

    def _bearers(self, relation: str, name: str) -> list[str]:
        if named := [v for v in self._names.named(name) if self._graph.holders(relation, v)]:
            return named
        if relation in self._graph.numeric:
            wanted = number(name)
            return [v for v in self._graph.values_in(relation) if self._number(v) == wanted]
        if self._names.is_indexed(relation):
            return []
        return [v for v in self._graph.values_in(relation) if key(self._graph.name(v)) == key(name)]

    def _number(self, value: str) -> float | None:
        return number(self._graph.name(value))

    def _with_id(self, text: str) -> tuple[str, ...]:
        return () if self._graph.place(text) is None else (text,)

    def _best_first(self, items: tuple[str, ...]) -> tuple[str, ...]:
        liked = self._catalogue.popularity
        return tuple(sorted(items, key=lambda item: (-liked[self._catalogue.place(item)], item)))
