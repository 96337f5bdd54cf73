"""What speaks against an Example: does the graph prove it, and do its words say its facts, all of them and no others?"""

import re

from agents.synthesis.labels import decide
from agents.synthesis.sampling import World
from agents.synthesis.state import LUCKY, Draft
from data_engine.datasets.splits import query_split
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.titles import split_year
from data_engine.schema import Example, Turn


def problems(example: Example, world: World) -> list[str]:
    """Everything the graph holds against an Example, in words; [] when it is proven."""
    graph, found = world.evidence.attributes, []
    gold = set(example.gold)
    for item in example.candidates:
        if item in gold and not graph.meets(item, example.conditions):
            found.append(f"gold {item} misses a condition")
        if item not in gold and not graph.misses(item, example.conditions):
            found.append(f"negative {item} is not proven to miss a condition")
    if not gold <= set(example.candidates) or len(set(example.candidates)) != len(
        example.candidates
    ):
        found.append("gold is not among the candidates, or a candidate stands twice")
    for item in gold:
        if split_year(graph.titles[item])[0].casefold() in example.said.casefold():
            found.append(f"the query names the gold {item}")
        if query_split(item, example.conditions) != example.split:
            found.append("a link of the query belongs to another split")
    for chain in example.chains:
        for step in chain.steps:
            if decide(step.role, step.claims, graph, example.conditions) != (
                step.label,
                step.evidence,
            ):
                found.append(f"the label of {step.text!r} is not what the graph says")
        wrong = any(step.label == "wrong" for step in chain.steps)
        if wrong != bool(chain.flaw) or (chain.answer in gold) != (chain.flaw in ("", LUCKY)):
            found.append(f"chain {chain.flaw or 'gold'} does not end as its steps do")
    if example.premise and not graph.excludes(
        example.premise.subject, example.premise.relation, example.premise.value
    ):
        found.append("the premise is not proven false")
    return found


_DENIES = re.compile(
    r"\b(?:not|no|nothing|never|without|except|avoid|skip|minus|excluding|other than|anything but|rather than)\b|n't\b",
    re.IGNORECASE,
)
_SIDES = {
    "below": re.compile(
        r"\b(?:before|older|earlier|below|under|less|fewer|shorter|prior|pre|until|up to|at most)\b",
        re.IGNORECASE,
    ),
    "above": re.compile(
        r"\b(?:after|newer|later|above|over|more|longer|since|post|from|at least)\b", re.IGNORECASE
    ),
}
_REACH = 60  # characters before a name within which it must be denied


def wanted_names(draft: Draft, world: World) -> set[str]:
    """What the words must name: conditions that are not hidden, what describes the anchor, the false premise, the anchors themselves."""
    graph = world.evidence.attributes
    open_ = draft.conditions
    if draft.contrast:
        open_ = (draft.contrast,)
    elif draft.anchors and not draft.script:
        open_ = draft.conditions[1:]  # the first is what the anchors stand for
    told = [*open_, *draft.about, *(c for event in draft.script for c in event.conditions)]
    names = {c.name for c in told if c.relation != AUDIENCE}  # a group may go by many words
    names |= {graph.names[draft.premise.value]} if draft.premise else set()
    return (
        names
        if draft.about
        else names | {split_year(graph.titles[item])[0] for item in draft.anchors}
    )


def wording_problems(draft: Draft, turns: tuple[Turn, ...], world: World) -> list[str]:
    """Facts that the words leave out or turn round, and names of the catalogue that are none of them; [] when they say what they should."""
    graph, said = world.evidence.attributes, "\n".join(turn.text for turn in turns)
    plain, wanted = said.casefold(), wanted_names(draft, world)
    found = [
        f"{name!r} is not mentioned" for name in sorted(wanted) if name.casefold() not in plain
    ]
    for c in draft.conditions:
        at = plain.find(c.name.casefold())
        if (
            c.op in _SIDES
            and at >= 0
            and not any(
                _side(said[: m.start()]) == c.op
                for m in re.finditer(rf"\b{re.escape(c.name)}\b", said)
            )
        ):
            found.append(
                f"{c.name!r} is not said to be a bound from {'above' if c.op == 'below' else 'below'}"
            )
        if (
            c.op == "not"
            and at >= 0
            and not _DENIES.search(said[max(0, at - _REACH) : at + len(c.name) + _REACH // 3])
        ):
            found.append(f"{c.name!r} is not ruled out")
    allowed = [name.casefold() for name in wanted]
    for start, end, _ in world.names.find(said):
        if not any(said[start:end].casefold() in name for name in allowed):
            found.append(f"{said[start:end]!r} is no part of the facts")
    if draft.about and split_year(graph.titles[draft.anchors[0]])[0].casefold() in plain:
        found.append(f"{graph.titles[draft.anchors[0]]!r} must not be named")
    return found


def _side(before: str) -> str:
    """Which side of a number the words right before it mean, "" for neither; "from before" has a word of each and means below."""
    near = before[-_REACH // 3 :]
    return next((side for side, words in _SIDES.items() if words.search(near)), "")
