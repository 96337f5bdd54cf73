"""Verdicts on what a text states of an item or of a query, from the graph and the conditions.

A name may be that of several attributes, and an attribute may occur in several relations: each
pair of (relation, attribute number) that a name can mean is a reading of it.
"""

from functools import lru_cache
from typing import NamedTuple

from data_engine.graphs.mapped import MappedGraph, Requirements
from data_engine.responses.claim import Judgement

CACHED = 65_536
Reading = tuple[str, int]


class JudgedFact(NamedTuple):
    """A fact with the relation and attribute id it was read as.

    relevant: whether a condition can be decided by it, None without conditions. replies: which of
    "yes" and "no" may rightly follow it.
    """

    verdict: Judgement
    relation: str
    value: str
    relevant: bool | None
    replies: frozenset[str]


class ClaimJudge:
    """All answers are cached: the rollouts of a group state the same things.

    fact(item, attributes, relation, requirements): see `_fact`.
    lack(item, attributes, relation, requirements): see `_lack`.
    need(attributes, relation, requirements, denied): see `_need`.
    fits(item, requirements): whether an item meets all conditions, None where the graph cannot say.
    nameable(requirements): (relation, attribute id) of the conditions that are one value which is
    not a number: a number is no name that a text could be held to.
    """

    def __init__(self, graph: MappedGraph) -> None:
        self.graph = graph
        self.fact = lru_cache(CACHED)(self._fact)
        self.lack = lru_cache(CACHED)(self._lack)
        self.need = lru_cache(CACHED)(self._need)
        self.fits = lru_cache(CACHED)(graph.verdict_on_all)
        self.nameable = lru_cache(CACHED)(self._nameable)

    def _nameable(self, required: Requirements) -> list[tuple[str, str]]:
        arrays, found = self.graph.arrays, []
        for condition in required.conditions:
            if len(condition.codes) == 1:
                (code,) = condition.codes
                if not arrays.names[code & 0xFFFFFFFF].isdigit():
                    value = arrays.attribute_ids[code & 0xFFFFFFFF]
                    found.append((self.graph.relations[code >> 32], value))
        return found

    def _fact(
        self, item: str, attributes: tuple[int, ...], relation: str, required: Requirements | None
    ) -> JudgedFact:
        """The verdict on "item has one of the attributes", in `relation` where that is not "".

        Supported by any reading that is true; contradicted only where the graph excludes all.
        """
        readings = self._readings(attributes, relation)
        verdicts = [self.graph.verdict_on_edge(item, r, a) for r, a in readings]
        verdict: Judgement = "unknown"
        if True in verdicts:
            verdict = "supported"
        elif verdicts and None not in verdicts:
            verdict = "contradicted"
        true = [reading for reading, holds in zip(readings, verdicts, strict=True) if holds]
        likely = true or readings
        deciding: list[Reading] = []
        replies = frozenset[str]()
        if required is not None:
            deciding = [(r, a) for r, a in likely if self._decides(item, r, a, required)]
            about_query = any(r in required.relations for r, _ in likely)
            replies = self._replies(deciding if about_query else likely, required)
        chosen, attribute = next(iter(deciding or likely), (relation, attributes[0]))
        value = self.graph.arrays.attribute_ids[attribute]
        relevant = None if required is None else bool(deciding)
        return JudgedFact(verdict, chosen, value, relevant, replies)

    def _lack(
        self, item: str, attributes: tuple[int, ...], relation: str, required: Requirements | None
    ) -> JudgedFact:
        """The verdict on "item has none of the attributes", as `_fact`.

        Unknown where some readings are true and others not: nobody can say which was denied.
        Relevant is a value that a condition names.
        """
        readings = self._readings(attributes, relation)
        verdicts = [self.graph.verdict_on_edge(item, r, a) for r, a in readings]
        verdict: Judgement = "unknown"
        if verdicts and set(verdicts) <= {True, False} and len(set(verdicts)) == 1:
            verdict = "contradicted" if verdicts[0] else "supported"
        named: list[Reading] = []
        if required is not None:
            named = [(r, a) for r, a in readings if self._names(r, a, required)]
        chosen, attribute = next(iter(named or readings), (relation, attributes[0]))
        value = self.graph.arrays.attribute_ids[attribute]
        relevant = None if required is None else bool(named)
        return JudgedFact(verdict, chosen, value, relevant, frozenset())

    def _names(self, relation: str, attribute: int, required: Requirements) -> bool:
        """Whether a condition names the value."""
        code = self.graph.number(relation) << 32 | attribute
        return any(code in condition.codes for condition in required.conditions)

    def _replies(self, readings: list[Reading], required: Requirements) -> frozenset[str]:
        """Which of yes and no is right of a value so read: whether it is what is required."""
        return frozenset("yes" if self.need((a,), r, required)[2] else "no" for r, a in readings)

    def _decides(self, item: str, relation: str, attribute: int, required: Requirements) -> bool:
        """Whether the value decides a condition of its relation: the item has no value that the
        condition names, or this is the one.
        """
        number = self.graph.number(relation)
        for condition in required.conditions:
            if condition.relation == number:
                named = condition.codes & self.graph.edges(item)
                if not named or number << 32 | attribute in named:
                    return True
        return False

    def _need(
        self,
        attributes: tuple[int, ...],
        relation: str,
        required: Requirements,
        denied: bool | None = None,
    ) -> tuple[str, str, bool]:
        """(relation, attribute id, whether it is right) of a name that is said to be required.

        The reading that is right is taken, if there is one. Right is a value that an item may have
        which meets the conditions; with `denied`, one that the query itself asks for, or rules out
        where `denied` is true.
        """
        readings = self._readings(attributes, relation)
        for read, attribute in readings:
            number = self.graph.number(read)
            for condition in required.conditions:
                named = condition.holds if denied is None else condition.holds is not denied
                if condition.relation == number:
                    if (number << 32 | attribute in condition.codes) == named:
                        return read, self.graph.arrays.attribute_ids[attribute], True
        read, attribute = readings[0] if readings else (relation, attributes[0])
        return read, self.graph.arrays.attribute_ids[attribute], False

    def _readings(self, attributes: tuple[int, ...], relation: str) -> list[Reading]:
        """All readings of a name of these attributes, those of `relation` only where it is
        given.
        """
        found: list[Reading] = []
        for attribute in attributes:
            relations = (relation,) if relation else self.graph.relations_of(attribute)
            found += [(one, attribute) for one in relations]
        return found
