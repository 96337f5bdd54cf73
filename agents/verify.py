"""The last node's judgement: does the graph prove this Example? An empty list of problems means yes."""

from agents.labels import label
from agents.sampling import World
from data_engine.schema import Example
from data_engine.splits import query_split
from data_engine.titles import split_year


def problems(example: Example, world: World) -> list[str]:
    """Everything the graph holds against an Example, in words; [] when it is proven."""
    graph, found = world.evidence.attributes, []
    gold = set(example.gold)
    for item in example.candidates:
        if item in gold and not graph.meets(item, example.conditions):
            found.append(f"gold {item} misses a condition")
        if item not in gold and not any(graph.excludes(item, c.relation, c.value) for c in example.conditions):
            found.append(f"negative {item} is not proven to miss a condition")
    if not gold <= set(example.candidates) or len(set(example.candidates)) != len(example.candidates):
        found.append("gold is not among the candidates, or a candidate stands twice")
    for item in gold:
        if split_year(graph.titles[item])[0].casefold() in example.query.casefold():
            found.append(f"the query names the gold {item}")
        if query_split(item, example.conditions) != example.split:
            found.append("a link of the query belongs to another split")
    for chain in example.chains:
        for step in chain.steps:
            if label(step, graph, example.conditions) != step:
                found.append(f"the label of {step.text!r} is not what the graph says")
        wrong = any(step.label == "wrong" for step in chain.steps)
        if wrong != bool(chain.flaw) or (chain.answer in gold) == bool(chain.flaw):
            found.append(f"chain {chain.flaw or 'gold'} does not end as its steps do")
    if example.premise and not graph.excludes(example.premise.subject, example.premise.relation, example.premise.value):
        found.append("the premise is not proven false")
    return found
