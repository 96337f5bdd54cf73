"""Words against facts: does a request say its facts, all of them and no others?"""

import re
from collections.abc import Iterator

from agents.synthesis.state import Draft
from agents.synthesis.world import World
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.spoken import spoken_forms, spoken_title, spoken_value
from data_engine.schema import Condition, Turn

_DENIES = re.compile(
    r"\b(?:not|no|nothing|never|without|except|avoid|skip|minus|excluding|other than|"
    r"anything but|rather than)\b|n't\b",
    re.IGNORECASE,
)
_SIDES = {
    "below": re.compile(
        r"\b(?:before|older|earlier|below|under|less|fewer|shorter|prior|pre|until|up to|"
        r"at most)\b",
        re.IGNORECASE,
    ),
    "above": re.compile(
        r"\b(?:after|newer|later|above|over|more|longer|since|post|from|at least)\b", re.IGNORECASE
    ),
}
_REACH = 60  # characters before a name within which it must be denied


def wanted_names(draft: Draft, world: World) -> set[str]:
    """Names that the words must have.

    They are those of the conditions that are not hidden, of what describes the anchor, of the
    false premise, and of the anchors themselves where they are not described.
    """
    graph = world.evidence.attributes
    named = [*_open_conditions(draft), *draft.about]
    for event in draft.script:
        named += event.conditions
    names = {c.name for c in named if c.relation != AUDIENCE}  # a group may go by many words
    if draft.premise:
        names.add(graph.names[draft.premise.value])
    if not draft.about:
        names |= {spoken_title(graph.titles[item]) for item in draft.anchors}
    return names


def _open_conditions(draft: Draft) -> tuple[Condition, ...]:
    """The conditions that the words name, rather than hint at by an anchor."""
    if draft.contrast:
        return (draft.contrast,)
    if draft.anchors and not draft.script:
        return draft.conditions[1:]  # the first is what the anchors stand for
    return draft.conditions


def wording_problems(draft: Draft, turns: tuple[Turn, ...], world: World) -> list[str]:
    """Facts that the words leave out or turn round, and foreign names; [] when they are right."""
    graph, said = world.evidence.attributes, "\n".join(turn.text for turn in turns)
    plain, wanted = said.casefold(), wanted_names(draft, world)
    forms = {
        spoken_title(graph.titles[item]): spoken_forms(graph.titles[item]) for item in draft.anchors
    }
    found = [
        f"{name!r} is not mentioned"
        for name in sorted(wanted)
        if not any(form in plain for form in forms.get(name, spoken_value(name)))
    ]
    for condition in draft.conditions:
        found += _operator_problems(condition, said, plain)
    allowed = [name.casefold() for name in wanted]
    allowed += [form for said in forms.values() for form in said]
    allowed += [form for item in draft.history for form in spoken_forms(graph.titles[item])]
    for start, end, _ in world.names.find(said):
        name = said[start:end].casefold()
        if not any(name in other for other in allowed):
            found.append(f"{said[start:end]!r} is no part of the facts")
    hidden = spoken_forms(graph.titles[draft.anchors[0]]) if draft.about else ()
    if any(form in plain for form in hidden):
        found.append(f"{graph.titles[draft.anchors[0]]!r} must not be named")
    return found


def _operator_problems(condition: Condition, said: str, plain: str) -> Iterator[str]:
    """A bound must be said to be one on its side, and what is ruled out must be denied."""
    name = condition.name
    at = max(plain.find(form) for form in spoken_value(name))
    if at < 0:
        return
    if condition.op in _SIDES and not _is_bounded(condition, said):
        side = "above" if condition.op == "below" else "below"
        yield f"{name!r} is not said to be a bound from {side}"
    around = slice(max(0, at - _REACH), at + len(name) + _REACH // 3)
    if condition.op == "not" and not _DENIES.search(said[around]):
        yield f"{name!r} is not ruled out"


def _is_bounded(condition: Condition, said: str) -> bool:
    """Whether a word for the condition's side stands before some mention of its number."""
    mentions = re.finditer(rf"\b{re.escape(condition.name)}\b", said)
    return any(_side(said[: mention.start()]) == condition.op for mention in mentions)


def _side(before: str) -> str:
    """The side of a number that the words right before it mean, "" for neither.

    "from before" has a word of each and means below.
    """
    near = before[-_REACH // 3 :]
    return next((side for side, words in _SIDES.items() if words.search(near)), "")
