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
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from data_engine.mapped import MappedGraph
from data_engine.mentions import Hit, Mention, NameFinder
from reward_server.wire import Claim, Judgement

_NEGATION = re.compile(r"\b(?:no|not|never|without|isn't|wasn't|doesn't|didn't|nor)\b", re.IGNORECASE)
_VERDICT = re.compile(r"\s*\b(yes|no)\b", re.IGNORECASE)  # after a name it speaks of that name, not of the next
_DECISION = re.compile(r"\b(keep|skip)\b", re.IGNORECASE)
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


class Asked(NamedTuple):
    """What a query asks for: its conditions as edge codes, and their relations."""

    conditions: frozenset[int]
    relations: frozenset[str]


class ClaimChecker:
    """Built once over the graph's attribute names, then read only."""

    def __init__(self, graph: MappedGraph) -> None:
        self.graph = graph
        self._nouns = _NOUNS | {relation: relation for relation in graph.relations}
        self._names = NameFinder(((name, number) for name, number in graph.names() if not name.isdigit()), fold_case=False)
        self._judge = lru_cache(CACHED)(self._judgement)
        self._clue = lru_cache(CACHED)(self._read_clue)
        self._meets = lru_cache(CACHED)(self._meeting)

    def check(self, text: str, mentions: Sequence[Mention], asked: Asked | None) -> list[Claim]:
        """The claims of a text, in order of their places; its mentions are given in order."""
        hits = self._names.find(text)
        starts = [start for start, _, _ in hits]
        first = mentions[0][1] if mentions else len(text)
        found = self._needs(text, hits[: bisect_left(starts, first)], asked) if asked and hits and starts[0] < first else []
        decided = asked is not None and _DECISION.search(text) is not None
        for n, (item, _, begin) in enumerate(mentions):
            other, after, _ = mentions[n + 1] if n + 1 < len(mentions) else ("", len(text), 0)
            k = bisect_left(starts, begin)
            if k < len(hits) and starts[k] < after:
                stop = _STOP.search(text, begin, after)
                end = stop.start() if stop else after
                found += self._clause(text, item, begin, hits[k : bisect_left(starts, end)], asked)
            if decided and (word := _DECISION.search(text, begin, after)) and "\n" not in text[begin : word.start()]:
                found.append(self._decision(item, word, asked))
            if other and after - begin < 9 and text[begin:after].strip() in ("and", "&"):
                found += self._shared(text, mentions[n], mentions[n + 1], asked)
        return found

    def _needs(self, text: str, hits: list[Hit], asked: Asked) -> list[Claim]:
        found = []
        for start, end, attributes in hits:
            if _NEED.search(text, text.rfind("\n", 0, start) + 1, start):
                relation, attribute, right = self._reading(attributes, self._clue(text[text.rfind("\n", 0, start) + 1 : start])[1], asked)
                verdict: Judgement = "supported" if right else "contradicted"
                found.append(
                    Claim("need", start, end, "", relation, self.graph.arrays.attribute_ids[attribute], verdict, relation in asked.relations)
                )
        return found

    def _clause(self, text: str, item: str, begin: int, hits: list[Hit], asked: Asked | None) -> list[Claim]:
        found, at, relation, negated = [], begin, "", False
        for start, end, attributes in hits:
            words = text[at:start] if at == begin else _VERDICT.sub("", text[at:start], count=1)
            denied, named = self._clue(words)
            negated, relation, at = denied or (negated and "," not in words), named or relation, end
            if negated:
                continue
            verdict, of, value = self._judge(item, attributes, relation)
            found.append(Claim("fact", start, end, item, of, value, verdict, None if asked is None else of in asked.relations))
            if asked and (word := _VERDICT.match(text, end)):
                matches = self._reading(attributes, of, asked)[2]
                right: Judgement = "supported" if matches == (word[1].lower() == "yes") else "contradicted"
                found.append(Claim("match", word.start(1), word.end(1), item, of, value, right, True))
        return found

    def _decision(self, item: str, word: re.Match, asked: Asked) -> Claim:
        meets, kept = self._meets(item, asked.conditions), word[1].lower() == "keep"
        verdict: Judgement = "unknown" if meets is None else "supported" if meets == kept else "contradicted"
        return Claim("decision", word.start(), word.end(), item, "", word[1].lower(), verdict, True)

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

    def _reading(self, attributes: tuple[int, ...], relation: str, asked: Asked) -> tuple[str, int, bool]:
        """(relation, attribute, whether the query asks for it) of a name: the reading that the query asks for, if there is one."""
        readings = [(r, a) for a in attributes for r in ((relation,) if relation else self.graph.relations_of(a))]
        for r, a in readings:
            if self.graph.number(r) << 32 | a in asked.conditions:
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

    def _meeting(self, item: str, conditions: frozenset[int]) -> bool | None:
        """Whether the item meets every condition; None where the graph cannot say."""
        edges, known = self.graph.edges(item), self.graph.known(item)
        if conditions <= edges:
            return True
        return False if any(code >> 32 in known for code in conditions - edges) else None
