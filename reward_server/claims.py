"""Factual claims in a text, checked on the attribute graph: "Heat (1995) director Michael Mann", "A and B share their composer".

A claim is an item's name with an attribute's name after it, before the next item, the end of the sentence or the line. The relation
word between them, if any, narrows it. Negated clauses are left alone. Judged against the graph it is supported, contradicted
(the relation is known for that item and excludes the value) or unknown.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from data_engine.mapped import MappedGraph
from data_engine.mentions import Hit, Mention, NameFinder
from reward_server.wire import Claim, Judgement

_NEGATION = re.compile(r"\b(?:no|not|never|without|isn't|wasn't|doesn't|didn't|nor)\b", re.IGNORECASE)
_VERDICT = re.compile(r"\s*\b(?:yes|no)\b", re.IGNORECASE)  # after a name it speaks of that name, not of the next
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


class ClaimChecker:
    """Built once over the graph's attribute names, then read only."""

    def __init__(self, graph: MappedGraph) -> None:
        self.graph = graph
        self._nouns = _NOUNS | {relation: relation for relation in graph.relations}
        self._names = NameFinder(((name, number) for name, number in graph.names() if not name.isdigit()), fold_case=False)
        self._judge = lru_cache(CACHED)(self._judgement)
        self._clue = lru_cache(CACHED)(self._read_clue)

    def check(self, text: str, mentions: Sequence[Mention], needed: frozenset[str] | None) -> list[Claim]:
        """The claims of a text, in order of their places; its mentions are given in order. `needed`: the relations the query asks about."""
        if not mentions:
            return []
        hits = self._names.find(text)
        starts = [start for start, _, _ in hits]
        found: list[Claim] = []
        for n, (item, _, begin) in enumerate(mentions):
            other, after, _ = mentions[n + 1] if n + 1 < len(mentions) else ("", len(text), 0)
            k = bisect_left(starts, begin)
            if k < len(hits) and starts[k] < after:
                stop = _STOP.search(text, begin, after)
                end = stop.start() if stop else after
                found += self._clause(text, item, begin, hits[k : bisect_left(starts, end)], needed)
            if other and after - begin < 9 and text[begin:after].strip() in ("and", "&"):
                found += self._shared(text, mentions[n], mentions[n + 1], needed)
        return found

    def _clause(self, text: str, item: str, begin: int, hits: list[Hit], needed: frozenset[str] | None) -> list[Claim]:
        found, at, relation, negated = [], begin, "", False
        for start, end, attributes in hits:
            words = text[at:start] if at == begin else _VERDICT.sub("", text[at:start], count=1)
            denied, named = self._clue(words)
            negated, relation, at = denied or (negated and "," not in words), named or relation, end
            if not negated:
                verdict, of, value = self._judge(item, attributes, relation)
                found.append(Claim(start, end, item, of, value, verdict, None if needed is None else of in needed))
        return found

    def _shared(self, text: str, one: Mention, other: Mention, needed: frozenset[str] | None) -> list[Claim]:
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
        relevant = None if needed is None else relation in needed
        return [Claim(start, end + len(rest.rstrip()), item, relation, value, verdict, relevant) for item in (first, second)]

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
