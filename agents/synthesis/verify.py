"""Proof of an Example: does the graph say what it claims?"""

from collections.abc import Iterator

from agents.synthesis.labels import decide
from agents.synthesis.state import LUCKY
from agents.synthesis.world import World
from data_engine.datasets.splits import query_split
from data_engine.graphs.attributes import AttributeGraph
from data_engine.names.spoken import spoken_forms
from data_engine.schema import Chain, Example


def problems(example: Example, world: World) -> list[str]:
    """Everything the graph has against an Example, in words; [] when it is proven."""
    graph = world.evidence.attributes
    found = [*_candidate_problems(example, graph), *_gold_problems(example, graph)]
    for chain in example.chains:
        found += _chain_problems(chain, example, graph)
    premise = example.premise
    if premise and not graph.excludes(premise.subject, premise.relation, premise.value):
        found.append("the premise is not proven false")
    return found


def _candidate_problems(example: Example, graph: AttributeGraph) -> Iterator[str]:
    """Gold meets every condition, all others miss one, and none stands twice."""
    gold, candidates = set(example.gold), example.candidates
    for item in candidates:
        if item in gold and not graph.meets(item, example.conditions):
            yield f"gold {item} misses a condition"
        if item not in gold and not graph.misses(item, example.conditions):
            yield f"negative {item} is not proven to miss a condition"
    if not gold <= set(candidates) or len(set(candidates)) != len(candidates):
        yield "gold is not among the candidates, or a candidate stands twice"


def _gold_problems(example: Example, graph: AttributeGraph) -> Iterator[str]:
    """The query does not name the gold, and its links belong to its split."""
    for item in set(example.gold):
        said = example.said.casefold()
        if any(form in said for form in spoken_forms(graph.titles[item])):
            yield f"the query names the gold {item}"
        if query_split(item, example.conditions) != example.split:
            yield "a link of the query belongs to another split"


def _chain_problems(chain: Chain, example: Example, graph: AttributeGraph) -> Iterator[str]:
    """Every label is the graph's, and the chain ends as its steps do."""
    for step in chain.steps:
        decided = decide(step.role, step.claims, graph, example.conditions)
        if decided != (step.label, step.evidence):
            yield f"the label of {step.text!r} is not what the graph says"
    wrong = any(step.label == "wrong" for step in chain.steps)
    ends_well = chain.answer in example.gold
    if wrong != bool(chain.flaw) or ends_well != (chain.flaw in ("", LUCKY)):
        yield f"chain {chain.flaw or 'gold'} does not end as its steps do"
