"""Step labels: only the graph decides them.

A claim is True, False or None (the graph cannot say: a missing edge is unknown, not false, unless the relation is known).
A step is correct when every claim is true and, for a need step, when it names exactly what the query asks for.
"""

from typing import Literal

from data_engine.graphs import AttributeGraph
from data_engine.schema import Claim, Condition, Proof, Role, Step


def judge(claim: Claim, graph: AttributeGraph, conditions: tuple[Condition, ...]) -> bool | None:
    """Truth of one claim about a query whose true conditions are `conditions`."""
    if claim.kind == "need":
        return _asked(claim) in map(_asked, conditions)
    if claim.kind == "keep":
        if graph.meets(claim.subject, conditions):
            return claim.holds
        return not claim.holds if graph.misses(claim.subject, conditions) else None
    if graph.has(claim.subject, claim.relation, claim.value):
        return claim.holds
    return not claim.holds if graph.excludes(claim.subject, claim.relation, claim.value) else None


def label(role: Role, text: str, claims: tuple[Claim, ...], graph: AttributeGraph, conditions: tuple[Condition, ...]) -> Step:
    """The step with its label and the edges that decide it. Claims the graph cannot judge must not be in it (ValueError)."""
    verdict, evidence = decide(role, claims, graph, conditions)
    return Step(role=role, text=text, claims=claims, label=verdict, evidence=evidence)


def decide(
    role: Role, claims: tuple[Claim, ...], graph: AttributeGraph, conditions: tuple[Condition, ...]
) -> tuple[Literal["correct", "wrong"], tuple[Proof, ...]]:
    """Label and evidence of a step that makes these claims. Raises ValueError for one that the graph cannot judge."""
    verdicts = [judge(claim, graph, conditions) for claim in claims]
    if None in verdicts:
        raise ValueError(f"the graph cannot judge {claims[verdicts.index(None)]}")
    whole = role != "need" or set(map(_asked, claims)) == set(map(_asked, conditions))
    evidence = tuple(sorted({edge for claim in claims for edge in _edges(claim, graph, conditions)}))
    return "correct" if whole and all(verdicts) else "wrong", evidence


def _asked(what: Claim | Condition) -> tuple[str, str, str]:
    return what.op, what.relation, what.value


def _edges(claim: Claim, graph: AttributeGraph, conditions: tuple[Condition, ...]) -> set[Proof]:
    """Edges that prove or contradict a claim: the edge itself, or the item's edges of that relation that exclude it."""
    if claim.kind == "need":
        return set()
    asked = [(c.relation, c.value) for c in conditions] if claim.kind == "keep" else [(claim.relation, claim.value)]
    found = set()
    for relation, value in asked:
        values = (value,) if graph.has(claim.subject, relation, value) else graph.edges.get(claim.subject, {}).get(relation, ())
        found |= {(claim.subject, relation, v) for v in values}
    return found
