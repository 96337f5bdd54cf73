"""What belongs to something said before: "by X or Y", "I liked Heat. It was directed by X"."""

from agents.assistant.request import Wish
from agents.assistant.understanding.found import Found
from agents.assistant.understanding.lexicon import vocabulary
from agents.assistant.understanding.tokens import Sentence

_ARTICLES = frozenset(("a", "an", "the", "by", "with"))
_BETWEEN = frozenset((",", *vocabulary("cues")["marks"]["things"].split()))
# After "it": what follows is told of an item, not wished for.
_STATES = frozenset("was is 's stars starred has had were".split())


def is_choice(sentence: Sentence, at: int, wish: Wish, found: Found) -> bool:
    """Whether "or" joins the value at a place to the last wish: "by X, Y or Z", "a comedy or a
    war film".
    """
    if not found.wishes:
        return False
    join = _before(sentence, at - 1, _ARTICLES)
    if join < 1 or sentence[join].text not in ("or", ","):
        return False
    if not any(token.text == "or" for token in sentence[join:]):
        return False
    before = sentence[_before(sentence, join - 1, _BETWEEN)]
    last = found.wishes[-1].condition
    known = {reading.value for reading in found.wishes[-1].readings}
    same = last.relation == wish.condition.relation and last.op == "is"
    return same and not known.isdisjoint(before.values)


def _before(sentence: Sentence, place: int, skipped: frozenset[str]) -> int:
    """The first place, going back, of a token that is not to be skipped."""
    while place > 0 and sentence[place].text in skipped:
        place -= 1
    return place


def meant_by_it(sentence: Sentence, found: Found) -> dict[int, str]:
    """Place → item of the "it" of which a sentence tells something."""
    for at, token in enumerate(sentence[:2]):
        if token.text in ("it", "that") and at + 1 < len(sentence) and found.named:
            if sentence[at + 1].text in _STATES:
                return {at: found.named[-1]}
    return {}
