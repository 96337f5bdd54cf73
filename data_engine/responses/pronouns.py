"""Pronouns in the tokens of a sentence: which item "it", "this film" or "the first one" means."""

from data_engine.responses.lexicon import words
from data_engine.responses.tokens import Token


def resolved(tokens: list[Token], last: tuple[str, ...]) -> list[Token]:
    """The tokens with pronouns as items: "it" is the item named last, "its" a possessive of it."""
    found: list[Token] = []
    named: tuple[str, ...] = last
    nouns = words("reading", "pronoun_nouns")
    k = 0
    while k < len(tokens):
        token = tokens[k]
        if token.kind == "item":
            foreign = k and tokens[k - 1].text in ("unlike", "like")
            joint = found[-1:] and found[-1].text in ("and", "nor", ",") and k > 1
            if not foreign:
                together = joint and len(found) > 1 and found[-2].kind == "item"
                ids = tuple(map(str, token.ids))
                named = (*named, *ids) if together else ids
            found.append(token)
        elif (size := _pronoun(tokens, k, nouns)) > 0:
            whom = _whom(tokens[k : k + size], named)
            text = "P" if token.text == "its" else "I"
            end = tokens[k + size - 1].end
            found.append(Token("item", text, token.start, end, whom))
            k += size - 1
        else:
            found.append(token)
        k += 1
    return found


def _pronoun(tokens: list[Token], k: int, nouns: frozenset[str]) -> int:
    """How many tokens from k are a pronoun, 0 for none."""
    word, *after = [t.text for t in tokens[k : k + 3]]
    if word in ("it", "its", "they"):
        return 1
    if word in ("this", "that", "the") and after and after[0] in nouns:
        if word == "the" and (after[0] == "one" or after[1:] in (["must"], ["of"], ["should"])):
            return 0
        return 2
    if word == "the" and after and after[0] in ("first", "second", "last", "former", "latter"):
        return 3 if after[1:] and after[1] in nouns else 2
    if word == "this" and after and after[0] in ("is", "was", "has", "stars", "fits"):
        return 1
    if word in ("both", "neither") and after and after[0] in ("are", "were", "star", "have", "is"):
        return 1
    return 0


def _whom(tokens: list[Token], named: tuple[str, ...]) -> tuple[str, ...]:
    """The items that a pronoun means, () where nobody can say."""
    words_in = {token.text for token in tokens}
    if words_in & {"both", "they", "neither"}:
        return named if len(named) == 2 else ()
    if len(named) == 2 and words_in & {"first", "former"}:
        return named[:1]
    if len(named) == 2 and words_in & {"second", "last", "latter"}:
        return named[1:]
    return named if len(named) == 1 else ()


def own_items(tokens: list[Token]) -> list[str]:
    """The items named, but for those that others are compared with."""
    found: list[str] = []
    for k, token in enumerate(tokens):
        if token.kind == "item" and not (k and tokens[k - 1].text in ("unlike", "like")):
            found += map(str, token.ids)
    return found
