"""Reads what sentences state: of whom, in which relation, denied or not. No verdicts.

A sentence becomes a shape: "I" for an item or a pronoun for one, "V" for the name of an attribute,
words else: "I stars V , but V directed I , not V , so I is out". A value is stated of the item
before it where every word between is understood (`grammar.toml`), or of the item after it where a
verb joins them ("V directed I"). What is asked, doubted, or reported of somebody states nothing.
"""

import re
from collections.abc import Iterable

from data_engine.responses.decisions import decisions
from data_engine.responses.forward import Forward, GapReader
from data_engine.responses.joined import joined_statements
from data_engine.responses.lexicon import pattern, relation_words, words
from data_engine.responses.pronouns import own_items, resolved
from data_engine.responses.statements import Statement, said
from data_engine.responses.tokens import Sentence, Token, with_phrases


class ProseReader:
    """`read(sentence, last)`: the statements, and the items that a pronoun after it may mean."""

    def __init__(self, relations: Iterable[str]) -> None:
        self.relation_words = relation_words(relations)
        self._gaps = GapReader(self.relation_words)

    def read(
        self, sentence: Sentence, last: tuple[str, ...]
    ) -> tuple[list[Statement], tuple[str, ...], bool]:
        """Statements, the items named (else `last`), and whether a need was not understood."""
        tokens = with_phrases(resolved(sentence.tokens, last))
        named = own_items(tokens)
        after = tuple(dict.fromkeys(named)) or last
        if sentence.question:
            return [], after, False
        plain = with_phrases(sentence.tokens)
        lead = pattern("needs", "lead").search(_need_shape(plain))
        if lead and not _name_before(plain, lead):
            found, lost = self._needs(plain, lead)
            return found, after, lost
        found = []
        for part, opens in _parts(tokens):
            carried = last if opens and (sentence.bullet or not sentence.first) else ()
            found += self._part(part, carried)
        return found, after, False

    def _needs(self, tokens: list[Token], lead: re.Match[str]) -> tuple[list[Statement], bool]:
        """What the query is said to ask for, up to an item."""
        begin = lead.string[: lead.end()].count(" ") + 1
        found: list[Statement] = []
        gap: list[str] = []
        relation, denied, lost = "", False, False
        for token in tokens[begin:]:
            if token.kind == "item" and token.text == "I":
                return found, True
            if token.kind != "value":
                gap.append(token.text)
                continue
            read = self._gaps.read(tuple(gap), needed=True)
            if not read.understood or "or" in gap and not (denied and read.listed):
                return found, True
            relation = relation if read.relation is None else read.relation
            denied = denied if read.denied is None else read.denied
            found.append(said("need", token, (), relation, denied))
            gap = []
        lost = bool({"preferably", "ideally", "or", "than"} & set(gap))
        return found, lost

    def _part(self, tokens: list[Token], carried: tuple[str, ...]) -> list[Statement]:
        """The statements of a part of a sentence that nobody doubts."""
        used: set[int] = set()
        found = joined_statements(tokens, self.relation_words, used)
        found += Forward(tokens, used, carried, self._gaps).statements()
        return found + decisions(tokens)


def _need_shape(tokens: list[Token]) -> str:
    """As `joined_shape`, where "I" is who asks."""
    return " ".join({"I": "item", "i": "I"}.get(t.text, t.text) for t in tokens)


def _name_before(tokens: list[Token], lead: re.Match[str]) -> bool:
    count = lead.string[: lead.start()].count(" ")
    return any(token.kind != "word" for token in tokens[:count])


def _parts(tokens: list[Token]) -> list[tuple[list[Token], bool]]:
    """The parts between words of contrast that nobody doubts or reports, and whether each opens
    the sentence.
    """
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in words("reading", "contrasts") and token.kind == "word":
            pieces.append([])
        pieces[-1].append(token)
    found: list[tuple[list[Token], bool]] = []
    kept: list[Token] = []
    for n, piece in enumerate(pieces):
        if _doubted(piece):
            if kept:
                found.append((kept, not found and n > 0 and kept[0] is tokens[0]))
            kept = []
        else:
            kept = kept + piece
    return [*found, (kept, kept[0] is tokens[0])] if kept else found


def _doubted(piece: list[Token]) -> bool:
    texts = [token.text for token in piece]
    if words("reading", "hedges") & set(texts):
        return True
    for k, text in enumerate(texts):
        if text in words("reading", "reports"):
            return not words("reading", "sources") & set(texts[max(0, k - 3) : k])
    return False
