"""From the bounds of a sentence to what is wanted: all, one of several, or anything else."""

from collections.abc import Sequence

from agents.assistant.request import Wish
from agents.assistant.understanding.numbers import Bound, turned
from agents.assistant.understanding.tokens import Sentence

_JOINING = frozenset(("or", "and", "&", "/"))
_BETWEEN = frozenset("or and , / & in from the of before after since until".split())


def joined(sentence: Sentence, bounds: Sequence[Bound]) -> list[list[Bound]]:
    """The bounds, those together of which one will do: "1994 or 1995", "the 70s and 80s"."""
    groups: list[list[Bound]] = []
    for bound in bounds:
        if groups and _are_choices(sentence, groups[-1][-1], bound):
            groups[-1].append(bound)
        else:
            groups.append([bound])
    return [part for group in groups for part in _parts(sentence, group)]


def _parts(sentence: Sentence, group: list[Bound]) -> list[list[Bound]]:
    """The group; its bounds apart where commas alone join them."""
    said = [token.text for token in sentence[group[0].at : group[-1].at]]
    return [group] if _JOINING.intersection(said) else [[bound] for bound in group]


def _are_choices(sentence: Sentence, one: Bound, other: Bound) -> bool:
    words = {token.text for token in sentence[one.end + 1 : other.at]}
    if not words or not words <= _BETWEEN:
        return False
    if one.is_range and other.is_range:
        return True  # nothing is of two decades at once
    if one.is_range or other.is_range:
        return False
    years = {condition.op for condition in (*one.conditions, *other.conditions)} == {"is"}
    return "or" in words or words <= {",", "/"} or years  # nothing is of two years at once


def wishes(group: Sequence[Bound], denied: bool) -> list[Wish]:
    """What one group of bounds wants, or does not want where it is denied."""
    if denied:
        return [wish for bound in group for wish in _none_of(bound)]
    if len(group) == 1:
        return [Wish(condition=condition) for condition in group[0].conditions]
    if group[0].is_range:
        return _within(group)
    first, *others = (bound.conditions[0] for bound in group)
    return [Wish(condition=first, any_of=tuple(others))]


def _none_of(bound: Bound) -> list[Wish]:
    """Outside a range is before it or after it."""
    first, *others = map(turned, bound.conditions)
    return [Wish(condition=first, any_of=tuple(others))]


def _within(group: Sequence[Bound]) -> list[Wish]:
    """From the first range to the last, without the gaps between them."""
    ranges = sorted((bound.conditions for bound in group), key=lambda pair: float(pair[0].value))
    found = [Wish(condition=ranges[0][0]), Wish(condition=ranges[-1][1])]
    for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False):
        if float(start.value) >= float(end.value):
            found.append(Wish(condition=end, any_of=(start,)))
    return found
