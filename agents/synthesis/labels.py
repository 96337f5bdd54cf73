"""Step labels: only the graph decides them.

A claim is True, False or None: the graph cannot say, as a missing edge is unknown, not false,
unless the relation is known. A step is correct when every claim is true and, for a need step, when
it names exactly what the query asks for.
"""

from typing import Literal

from data_engine.graphs.attributes import AttributeGraph
from data_engine.schema import Claim, Condition, Proof, Role, Step


def judge(claim: Claim, graph: AttributeGraph, conditions: tuple[Condition, ...]) -> bool | None:
    """Truth of one claim about a query whose true conditions are `conditions`."""
    if claim.kind == "need":
        return _terms(claim) in map(_terms, conditions)
    if claim.kind == "keep":
        fits = graph.fits(claim.subject, conditions)
        return None if fits is None else fits is claim.holds
    stated = graph.states(claim.subject, claim.relation, claim.value)
    return None if stated is None else stated is claim.holds


def label(
    role: Role,
    text: str,
    claims: tuple[Claim, ...],
    graph: AttributeGraph,
    conditions: tuple[Condition, ...],
) -> Step:
    """The step with its label and the edges that decide it.

    Raises ValueError for a claim that the graph cannot judge.
    """
    verdict, evidence = decide(role, claims, graph, conditions)
    return Step(role=role, text=text, claims=claims, label=verdict, evidence=evidence)


def decide(
    role: Role, claims: tuple[Claim, ...], graph: AttributeGraph, conditions: tuple[Condition, ...]
) -> tuple[Literal["correct", "wrong"], tuple[Proof, ...]]:
    """Label and evidence of a step that makes these claims.

    Raises ValueError for a claim that the graph cannot judge.
    """
    verdicts = [judge(claim, graph, conditions) for claim in claims]
    if None in verdicts:
        raise ValueError(f"the graph cannot judge {claims[verdicts.index(None)]}")
    whole = role != "need" or set(map(_terms, claims)) == set(map(_terms, conditions))
    evidence = tuple(sorted(_edges(claims, graph, conditions)))
    return "correct" if whole and all(verdicts) else "wrong", evidence


def _terms(what: Claim | Condition) -> tuple[str, str, str]:
    return what.op, what.relation, what.value


def _edges(
    claims: tuple[Claim, ...], graph: AttributeGraph, conditions: tuple[Condition, ...]
) -> set[Proof]:
    """Edges that prove or contradict claims; needs have none.

    They are the edge itself, or the item's edges of that relation that exclude it.
    """
    found: set[Proof] = set()
    for claim in claims:
        if claim.kind == "need":
            continue
        for what in conditions if claim.kind == "keep" else (claim,):
            known = graph.values(claim.subject, what.relation)
            for value in (what.value,) if what.value in known else known:
                found.add((claim.subject, what.relation, value))
    return found
