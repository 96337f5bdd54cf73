"""What is wanted alike: "by the same director", "written by the same person", "with the actor of
Heat".
"""

from collections.abc import Iterator

from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.tokens import Sentence

_BY = frozenset("by from with starring featuring has did".split())
_OF = frozenset("of from in".split())
_THEM = frozenset("those these them both that it".split())
REACH = 4  # words beside "same" within which its relation is said


def shared_relations(sentence: Sentence, lexicon: Lexicon) -> Iterator[tuple[str, ...]]:
    """For each "same": the relations of which it may speak, () where only likeness is meant."""
    for at, token in enumerate(sentence):
        if token.kind == "word" and lexicon.is_(token.text, "same"):
            yield _relations(sentence, at, lexicon)
        elif token.text == "the" and 0 < at < len(sentence) - 3:
            before, noun, of, whose = (sentence[at + k] for k in (-1, 1, 2, 3))
            if before.text in _BY and of.text in _OF and (whose.items or whose.text in _THEM):
                if relations := lexicon.relation.get(noun.text):
                    yield relations


def other_relations(sentence: Sentence, lexicon: Lexicon) -> Iterator[tuple[str, ...]]:
    """For each "by another director", "with a different composer": the relations it may mean."""
    for before, token, after in zip(sentence, sentence[1:], sentence[2:], strict=False):
        if before.text in ("by", "from", "with", "a") and token.text in ("another", "different"):
            if relations := lexicon.relation.get(after.text):
                yield relations


def _relations(sentence: Sentence, at: int, lexicon: Lexicon) -> tuple[str, ...]:
    after = _words(sentence, range(at + 1, at + 1 + REACH))
    before = _words(sentence, range(at - 1, at - 1 - REACH, -1))
    for word in after:
        if lexicon.is_(word, "creator"):
            return _first(after, lexicon) or _first(before, lexicon)
        if relations := lexicon.relation.get(word):
            return relations
        if lexicon.is_(word, "similar_nouns"):
            return ()
    return _first(before, lexicon)


def _first(words: list[str], lexicon: Lexicon) -> tuple[str, ...]:
    return next((lexicon.relation[word] for word in words if word in lexicon.relation), ())


def _words(sentence: Sentence, places: range) -> list[str]:
    """The words at these places, up to a name or a mark."""
    found: list[str] = []
    for place in places:
        if not 0 <= place < len(sentence) or sentence[place].kind != "word":
            break
        found.append(sentence[place].text)
    return found
