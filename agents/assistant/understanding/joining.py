"""What belongs to something said before: "by X or Y", "I liked Heat. It was directed by X"."""

from agents.assistant.request import Wish
from agents.assistant.understanding.found import Found
from agents.assistant.understanding.tokens import Sentence

# After "it": what follows is told of an item, not wished for.
_STATES = frozenset("was is 's stars starred has had were".split())


def is_choice(sentence: Sentence, at: int, wish: Wish, found: Found) -> bool:
    """Whether "or" joins the value at a place to the last wish: "by X or Y", "by X, Y or Z"."""
    if at < 2 or not found.wishes or sentence[at - 1].text not in ("or", ","):
        return False
    if not any(token.text == "or" for token in sentence[at - 1 :]):
        return False
    last, before = found.wishes[-1].condition, sentence[at - 2]
    if before.text == "," and at > 2:  # "X, Y, or Z"
        before = sentence[at - 3]
    known = {reading.value for reading in found.wishes[-1].readings}
    same = last.relation == wish.condition.relation and last.op == "is"
    return same and not known.isdisjoint(before.values)


def meant_by_it(sentence: Sentence, found: Found) -> dict[int, str]:
    """Place → item of the "it" of which a sentence tells something."""
    for at, token in enumerate(sentence[:2]):
        if token.text in ("it", "that") and at + 1 < len(sentence) and found.named:
            if sentence[at + 1].text in _STATES:
                return {at: found.named[-1]}
    return {}
