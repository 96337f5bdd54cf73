"""What a text states, checked on the attribute graph and against what the query asks. Four kinds of claim:

fact       "Heat (1995) director Michael Mann", "A and B share their composer": an item's name, then an attribute's, before the next item or
           the end of the sentence. The relation word between them, if any, narrows it. Negated clauses are left alone.
need       "Need director Michael Mann": an attribute in a line that says what is needed, before any item is named.
match      "yes" or "no" right after an attribute of an item: whether that is what the query asks for.
decision   "keep" or "skip" after an item: whether it meets every condition.

Facts are supported, contradicted (the relation is known for that item and excludes the value) or unknown; the other kinds are held
against the Example's conditions, and left out where it has none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

from data_engine.mapped import MappedGraph
from data_engine.mentions import Mention, NameFinder
from reward_server.wire import Claim, Judgement

_NEGATION = re.compile(r"\b(?:no|not|never|without|isn't|wasn't|doesn't|didn't|nor)\b", re.IGNORECASE)
_NEED = re.compile(r"\b(?:needs?|wants?|asks?|asked|must|looking for)\b", re.IGNORECASE)
_STOP = re.compile(r"[;?!\n]|\.(?=\s|$)")
_WORD = re.compile(r"\w+")
_SHARED = re.compile(r"\b(?:share|shares|same|common)\b")
_NOUNS = {
    "star": "starring",
    "stars": "starring",
    "actor": "starring",
    "actress": "starring",
    "directed": "director",
    "music": "composer",
    "written": "writer",
}
CACHED = 65_536


@dataclass(frozen=True, eq=False)  # one object a condition: cached judgements are found by identity
class Need:
    """One condition: an item meets it when its values of the relation are known and whether one of them is among `codes` is `holds`."""

    relation: int
    codes: frozenset[int]
    holds: bool


@dataclass(frozen=True, eq=False)
class Asked:
    """What a query asks for, and the relations it asks about."""

    needs: tuple[Need, ...]
    relations: frozenset[str]


@dataclass
class _Clause:
    """What is being said of an item: how far it has been read, the relation last named, whether it is negated, and a fact that a yes or no
    may follow."""

    item: str
    at: int
    after: int
    relation: str = ""
    negated: bool = False
    decided: bool = False
    fact: tuple[tuple[int, ...], str, str] | None = None
    _until: int = -1

    def until(self, text: str) -> int:
        """Where the sentence or line ends, or the next item is named."""
        if self._until < 0:
            stop = _STOP.search(text, self.at, self.after)
            self._until = stop.start() if stop else self.after
        return self._until


class ClaimChecker:
    """Built once over the graph's attribute names, then read only."""

    def __init__(self, graph: MappedGraph) -> None:
        self.graph = graph
        self._nouns = _NOUNS | {relation: relation for relation in graph.relations}
        words = {form: word for word in ("yes", "no", "keep", "skip") for form in (word, word.capitalize())}
        names = ((name, number) for name, number in graph.names() if not name.isdigit() and "".join(_WORD.findall(name)) not in words)
        self._names = NameFinder(chain(names, words.items()), fold_case=False)
        self._judge = lru_cache(CACHED)(self._judgement)
        self._clue = lru_cache(CACHED)(self._read_clue)
        self._meets = lru_cache(CACHED)(self._meeting)
        self._reading = lru_cache(CACHED)(self._choose)

    def check(self, text: str, mentions: Sequence[Mention], asked: Asked | None) -> list[Claim]:
        """The claims of a text, in order of their places; its mentions are given in order."""
        found: list[Claim] = []
        clause, following = None, 0
        for start, end, bearers in self._names.find(text):
            while following < len(mentions) and mentions[following][1] <= start:
                after = mentions[following + 1][1] if following + 1 < len(mentions) else len(text)
                clause, following = _Clause(mentions[following][0], mentions[following][2], after), following + 1
            if clause is None:
                if asked and not isinstance(bearers[0], str):
                    found += self._need(text, start, end, bearers, asked)
            elif start >= clause.at and end <= clause.until(text):
                found += (
                    self._word(clause, bearers[0], start, end, text, asked)
                    if isinstance(bearers[0], str)
                    else self._fact(clause, bearers, start, end, text, asked)
                )
        shared = [
            claim
            for one, other in pairwise(mentions)
            if other[1] - one[2] < 9 and text[one[2] : other[1]].strip() in ("and", "&")
            for claim in self._shared(text, one, other, asked)
        ]
        return sorted(found + shared, key=lambda claim: claim.start) if shared else found

    def _need(self, text: str, start: int, end: int, attributes: tuple[int, ...], asked: Asked) -> list[Claim]:
        before = text[text.rfind("\n", 0, start) + 1 : start]
        if not _NEED.search(before):
            return []
        denied, named = self._clue(before[before.rfind(" and ") + 1 :])
        relation, attribute, right = self._reading(attributes, named or self._clue(before)[1], asked, denied)
        verdict: Judgement = "supported" if right else "contradicted"
        return [Claim("need", start, end, "", relation, self.graph.arrays.attribute_ids[attribute], verdict, relation in asked.relations)]

    def _fact(self, clause: "_Clause", attributes: tuple[int, ...], start: int, end: int, text: str, asked: Asked | None) -> list[Claim]:
        words = text[clause.at : start]
        denied, named = self._clue(words)
        clause.negated = denied or (clause.negated and "," not in words)
        clause.relation, clause.at, clause.fact = named or clause.relation, end, None
        if clause.negated:
            return []
        verdict, relation, value = self._judge(clause.item, attributes, clause.relation)
        clause.fact = (attributes, relation, value)
        return [Claim("fact", start, end, clause.item, relation, value, verdict, None if asked is None else relation in asked.relations)]

    def _word(self, clause: "_Clause", word: str, start: int, end: int, text: str, asked: Asked | None) -> list[Claim]:
        if word in ("keep", "skip"):
            if asked is None or clause.decided:
                return []
            clause.decided = True
            meets = self._meets(clause.item, asked)
            verdict: Judgement = "unknown" if meets is None else "supported" if meets == (word == "keep") else "contradicted"
            return [Claim("decision", start, end, clause.item, "", word, verdict, True)]
        if clause.fact is None or not text[clause.at : start].isspace():
            return []  # some other yes or no
        (attributes, relation, value), clause.fact, clause.at = clause.fact, None, end
        if asked is None:
            return []
        right: Judgement = "supported" if self._reading(attributes, relation, asked)[2] == (word == "yes") else "contradicted"
        return [Claim("match", start, end, clause.item, relation, value, right, True)]

    def _shared(self, text: str, one: Mention, other: Mention, asked: Asked | None) -> list[Claim]:
        """ "A and B share their composer": in the rest of the sentence a word for sharing and a relation."""
        (first, start, _), (second, _, end) = one, other
        stop = _STOP.search(text, end)
        rest = text[end : stop.start() if stop else len(text)]
        negated, relation = self._clue(rest)
        if negated or not relation or not _SHARED.search(rest):
            return []
        mine, its = self.graph.values(first, relation), self.graph.values(second, relation)
        common = sorted(mine & its)
        verdict: Judgement = "supported" if common else "contradicted" if mine and its else "unknown"
        value = self.graph.arrays.attribute_ids[common[0]] if common else ""
        relevant = None if asked is None else relation in asked.relations
        return [Claim("fact", start, end + len(rest.rstrip()), item, relation, value, verdict, relevant) for item in (first, second)]

    def _choose(self, attributes: tuple[int, ...], relation: str, asked: Asked, denied: bool | None = None) -> tuple[str, int, bool]:
        """(relation, attribute, whether it is right) of a name: the reading that is right, if there is one. A value is right that fits what the
        query needs; with `denied`, one that the query itself asks for, or rules out where it is denied."""
        readings = [(r, a) for a in attributes for r in ((relation,) if relation else self.graph.relations_of(a))]
        for r, a in readings:
            number = self.graph.number(r)
            for need in asked.needs:
                if need.relation == number and (number << 32 | a in need.codes) == (need.holds if denied is None else need.holds is not denied):
                    return r, a, True
        return (*readings[0], False) if readings else (relation, attributes[0], False)

    def _read_clue(self, words: str) -> tuple[bool, str]:
        """Whether the words negate, and the last relation they name ("" for none)."""
        if not words or words.isspace():
            return False, ""
        named = [self._nouns[w] for w in _WORD.findall(words.lower()) if w in self._nouns]
        return bool(_NEGATION.search(words)), named[-1] if named else ""

    def _judgement(self, item: str, attributes: tuple[int, ...], relation: str) -> tuple[Judgement, str, str]:
        """(verdict, relation, attribute id). Any homonym that fits supports; contradicted only when a known relation excludes every reading."""
        readings = [(r, a) for a in attributes for r in ((relation,) if relation else self.graph.relations_of(a))]
        verdicts = [self.graph.judge(item, r, a) for r, a in readings]
        chosen = verdicts.index(True) if True in verdicts else 0
        verdict: Judgement = "supported" if True in verdicts else "contradicted" if verdicts and all(v is False for v in verdicts) else "unknown"
        relation, attribute = readings[chosen] if readings else (relation, attributes[0])
        return verdict, relation, self.graph.arrays.attribute_ids[attribute]

    def meets(self, item: str, need: Need) -> bool | None:
        """Whether the item meets one condition; None where the graph cannot say."""
        if need.relation not in self.graph.known(item):
            return None
        return need.codes.isdisjoint(self.graph.edges(item)) is not need.holds

    def _meeting(self, item: str, asked: Asked) -> bool | None:
        """Whether the item meets every condition; None where the graph cannot say."""
        verdicts = [self.meets(item, need) for need in asked.needs]
        return False if False in verdicts else None if None in verdicts else True
