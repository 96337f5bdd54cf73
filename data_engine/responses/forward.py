"""Statements whose value stands after its item: "I stars V and V, but is not V"."""

import re
from functools import lru_cache
from typing import NamedTuple

from data_engine.responses.joined import CLAUSE_STARTS
from data_engine.responses.lexicon import words
from data_engine.responses.statements import Statement, said
from data_engine.responses.tokens import Token

_FOREIGN = frozenset("unlike like than as to from with".split())


class Gap(NamedTuple):
    """What the words before a value say. relation None: as before. denied None: as before."""

    understood: bool
    relation: str | None
    denied: bool | None
    listed: bool


class GapReader:
    """`read(words, needed)`: the gap before a value; needed: in what the query asks for."""

    def __init__(self, relation_words: dict[str, str]) -> None:
        self.relation_words = relation_words
        self._forms = [
            (re.compile(rf"(?<!\S){re.escape(word)}(?!\S)"), meant)
            for word, meant in relation_words.items()
        ]
        known = words("reading", "fillers") | words("reading", "separators")
        known |= words("reading", "negations") | words("reading", "contrasts")
        self._known = known | set(" ".join(relation_words).split())
        self._needed = self._known | words("needs", "fillers") | words("needs", "denials")
        self.read = lru_cache(4096)(self._read)

    def _read(self, gap: tuple[str, ...], needed: bool = False) -> Gap:
        known = self._needed if needed else self._known
        text, relation, last = " ".join(gap), None, -1
        for form, meant in self._forms:
            for match in form.finditer(text):
                if match.end() > last:
                    relation, last = meant, match.end()
        listed = set(gap) <= words("reading", "separators") | {"also"}
        denying = words("reading", "negations") | words("needs", "denials")
        negations = [word for word in gap if word in denying]
        understood = all(word in known or word.isdigit() for word in gap) and len(negations) < 2
        denied = None if listed and not negations else bool(negations)
        goes_on = listed or gap in (("not",), (",", "not")) or gap[-1:] == ("is",)
        if relation is None and not goes_on:
            relation = ""
        return Gap(understood, relation, denied, listed)


class Forward:
    """Goes through the tokens of a part of a sentence, left to right.

    subject: of whom is spoken. alive: whether that is sure and all words since were understood.
    own: whether the subject is named in this part. pending: values before their item.
    """

    def __init__(
        self, tokens: list[Token], used: set[int], carried: tuple[str, ...], gaps: GapReader
    ) -> None:
        self.tokens, self.used, self.gaps = tokens, used, gaps
        self.subject, self.relation = carried, ""
        self.denied, self.neither, self.alive, self.own = False, False, True, False
        self.gap: list[str] = []
        self.found: list[Statement] = []
        self.pending: list[Statement] = []

    def statements(self) -> list[Statement]:
        """See the module."""
        for k, token in enumerate(self.tokens):
            if token.kind == "item":
                self._item(k)
            elif token.kind != "value":
                self.gap.append(token.text)
            else:
                if k not in self.used:
                    self._value(k, token)
                self.gap = []
        return self.found

    def _item(self, k: int) -> None:
        """A new subject, perhaps that of the values before it."""
        gap, before = self.gap, self.tokens[k - 1].text if k else ""
        self.subject, self.alive = _subject(self.tokens, k, before, self.subject, self.alive)
        self.own = True
        if before == "," and not self.found and self.subject:
            self.found += [one._replace(items=self.subject) for one in self.pending]
        self.neither = "neither" in gap or (self.neither and gap == ["nor"])
        self.relation = ""
        if gap[-1:] == ["of"] and len(gap) > 1:  # "the director of I is"
            self.relation = self.gaps.relation_words.get(gap[-2], "")
        self.denied, self.gap, self.pending = self.neither, [], []

    def _value(self, k: int, token: Token) -> None:
        """What is said of the subject by the value at k."""
        gap = self.gap
        read = self.gaps.read(tuple(gap))
        resumes = not read.listed and "," in gap
        self.alive = (self.alive or resumes) and read.understood and not _turns(self.tokens, k)
        if "or" in gap and not self.denied or _or_follows(self.tokens, k, self.denied, read):
            self.alive = False
        self.relation = self.relation if read.relation is None else read.relation
        if read.denied is not None:
            self.denied = read.denied or self.neither
        statement = said("fact", token, self.subject, self.relation, self.denied)
        if not self.alive:
            return
        if self.subject and (self.own or self.found or _may_carry(self.tokens, k)):
            self.found.append(statement)
        elif not self.subject or _opens(self.tokens):
            self.pending.append(statement)


def _subject(
    tokens: list[Token], k: int, before: str, subject: tuple[str, ...], alive: bool
) -> tuple[tuple[str, ...], bool]:
    """Of whom is spoken after the item at k, and whether that is sure."""
    ids = tuple(str(one) for one in tokens[k].ids)
    if before == "unlike" or (before == "like" and k == 1):
        return subject, alive and k > 1
    if before in _FOREIGN:
        return (), False
    joint: list[str] = list(ids)
    j = k
    while j >= 2 and tokens[j - 1].text in ("and", "nor", "&", ",") and tokens[j - 2].text == "I":
        j -= 2
        joint = [*map(str, tokens[j].ids), *joint]
    following = tokens[k + 1].text if k + 1 < len(tokens) else ""
    plural = following in words("reading", "plurals") or (j > 0 and tokens[j - 1].text == "neither")
    chosen = tuple(joint) if plural and j < k else ids
    return chosen, bool(chosen)


def _turns(tokens: list[Token], k: int) -> bool:
    """Whether the value at k opens a clause of its own, or is somebody's: "… and V was"."""
    after = tokens[k + 1].text if k + 1 < len(tokens) else ""
    if after in ("'s", "who", "fans", "fan", "lovers"):
        return True
    verbs = {"is", "was", "does", "did", "has", "directed", "wrote", "composed", "are", "were"}
    before = tokens[k - 1].text if k else ""
    opens = before in CLAUSE_STARTS or before in words("reading", "contrasts")
    return after in verbs and opens


def _or_follows(tokens: list[Token], k: int, denied: bool, read: Gap) -> bool:
    """Whether the value is one of "V or V", of which nobody says which."""
    now = denied if read.denied is None else read.denied
    return not now and k + 1 < len(tokens) and tokens[k + 1].text == "or"


def _may_carry(tokens: list[Token], k: int) -> bool:
    """Whether a sentence may go on about the item of the one before: it opens with no subject."""
    opening = {"directed", "starring", "stars", "written", "scored", "with", "no", "not", "also"}
    opening |= {"has", "director", "star", "composer", "genre", "cast", "the", "music", "by", "its"}
    return tokens[0].text in opening or (k > 1 and tokens[1].text == ":")


def _opens(tokens: list[Token]) -> bool:
    return tokens[0].text in ("directed", "starring", "with", "a", "an", "written", "scored")
