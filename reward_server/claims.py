"""What a text states, checked on the attribute graph and against what the query asks. Five kinds of claim:

fact       "Heat (1995) director Michael Mann", "A and B share their composer": an item's name, then an attribute's, before the next item or
           the end of the sentence. The relation word between them, if any, narrows it. Negated clauses are left alone.
need       "Need director Michael Mann": an attribute in a line that says what is needed, before the line names an item.
needs      the end of the last line that begins with "Need": whether all that the query asks for has been named.
match      "yes" or "no" right after an attribute of an item: whether that is what the query asks for.
decision   "keep" or "skip" after an item: whether it meets every condition.

Facts are supported, contradicted (the relation is known for that item and excludes the value) or unknown; the other kinds are held
against the Example's conditions, and left out where it has none. Relevant is a fact that a condition can be decided by: of an item that has what
is asked for, another value of the same relation is beside the point, however true, and so is a yes or no after it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise

from data_engine.graphs.mapped import MappedGraph, Requirements
from data_engine.names.mentions import Hit, Mention, NameFinder
from reward_server.wire import Claim, Judgement

_NEGATION = re.compile(
    r"\b(?:no|not|never|without|isn't|wasn't|doesn't|didn't|nor)\b", re.IGNORECASE
)
_NEED = re.compile(r"\b(?:needs?|wants?|asks?|asked|must|looking for)\b", re.IGNORECASE)
_LIST = re.compile(r"\s*Needs?\b")
_STOP = re.compile(r"[.;?!\n](?:(?<!\.)|(?=\s|$))")
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
        words = {
            form: word
            for word in ("yes", "no", "keep", "skip")
            for form in (word, word.capitalize())
        }
        names = (
            (name, number)
            for name, number in graph.names()
            if not name.isdigit() and "".join(_WORD.findall(name)) not in words
        )
        self._names = NameFinder(chain(names, words.items()), fold_case=False)
        self._judge = lru_cache(CACHED)(self._judgement)
        self._clue = lru_cache(CACHED)(self._read_clue)
        self._wanting = lru_cache(CACHED)(self._read_wanting)
        self._meets = lru_cache(CACHED)(graph.verdict_on_all)
        self._reading = lru_cache(CACHED)(self._choose)

    def check(
        self, text: str, mentions: Sequence[Mention], asked: Requirements | None
    ) -> list[Claim]:
        """The claims of a text, in the order in which they end; its mentions are given in order."""
        hits, found, k = self._names.find(text), [], 0
        opens = [start for _, start, _ in mentions] + [len(text)]
        while k < len(hits) and hits[k][0] < opens[0]:
            k += 1
        needs = self._needs(text, hits[:k], asked) if asked else []
        for (item, _, at), after in zip(mentions, opens[1:], strict=True):
            first = k
            while k < len(hits) and hits[k][0] < after:
                k += 1
            if k > first:
                found += self._said(item, at, after, hits[first:k], text, asked)
                line = text.find("\n", at, hits[k - 1][0]) if asked else -1
                if line >= 0:
                    needs += self._needs(
                        text, [hit for hit in hits[first:k] if hit[0] > line], asked
                    )
        if needs:
            found = sorted(
                found + needs + self._whole(text, needs, asked), key=lambda claim: claim.end
            )
        shared = [
            claim
            for one, other in pairwise(mentions)
            if other[1] - one[2] < 9 and text[one[2] : other[1]].strip() in ("and", "&")
            for claim in self._shared(text, one, other, asked)
        ]
        return sorted(found + shared, key=lambda claim: claim.end) if shared else found

    def _needs(self, text: str, hits: list[Hit], asked: Requirements) -> list[Claim]:
        """What is said to be needed by names that stand in lines before any item."""
        return [
            claim
            for hit in hits
            if not isinstance(hit[2][0], str)
            for claim in self._need(text, *hit, asked)
        ]

    def _whole(self, text: str, needs: list[Claim], asked: Requirements) -> list[Claim]:
        """Whether the needs named are all that the query has: where the last line of them ended too soon, or, where nothing is lacking, on all that
        follows its first; none where that line is not one of needs alone."""
        last = needs[-1]
        begin, end = text.rfind("\n", 0, last.start) + 1, text.find("\n", last.end)
        rest = len(text[last.end : end if end >= 0 else len(text)].rstrip())
        if not rest or not _LIST.match(text, begin):
            return []
        named = {(claim.relation, claim.value) for claim in needs if claim.verdict == "supported"}
        relation, value = next(
            (pair for pair in self._nameable(asked) if pair not in named), ("", "")
        )
        start = last.end if value else next(claim.end for claim in needs if claim.start >= begin)
        return [
            Claim(
                "needs",
                start,
                last.end + rest,
                "",
                relation,
                value,
                "contradicted" if value else "supported",
                True,
            )
        ]

    def _nameable(self, asked: Requirements) -> Iterator[tuple[str, str]]:
        """(relation, attribute id) of the conditions that are one value, and not a number, which is no name."""
        for need in asked.conditions:
            if len(need.codes) == 1:
                (code,) = need.codes
                if not self.graph.arrays.names[code & 0xFFFFFFFF].isdigit():
                    yield (
                        self.graph.relations[code >> 32],
                        self.graph.arrays.attribute_ids[code & 0xFFFFFFFF],
                    )

    def _need(
        self, text: str, start: int, end: int, attributes: tuple[int, ...], asked: Requirements
    ) -> list[Claim]:
        wanted, denied, named = self._wanting(text[text.rfind("\n", 0, start) + 1 : start])
        if not wanted:
            return []
        relation, value, right = self._reading(attributes, named, asked, denied)
        return [
            Claim(
                "need",
                start,
                end,
                "",
                relation,
                value,
                "supported" if right else "contradicted",
                relation in asked.relations,
            )
        ]

    def _said(
        self, item: str, at: int, after: int, hits: list[Hit], text: str, asked: Requirements | None
    ) -> list[Claim]:
        """What is said of an item by the names from `at` to the end of the sentence or line, or to `after`, where the next item is named.
        One loop with plain names: most of a score's time is spent here."""
        stop = _STOP.search(text, at, after)
        until = stop.start() if stop else after
        found, named, negated, decided = [], "", False, False
        fact: tuple[str, str, frozenset[str]] | None = (
            None  # the one that a yes or no may follow, and which of them is right
        )
        for start, end, bearers in hits:
            if end > until:
                break
            word = bearers[0]
            if start < at:
                continue
            if not isinstance(word, str):
                before = text[at:start]
                denied, relation = self._clue(before)
                negated = denied or (negated and "," not in before)
                named, at, fact = relation or named, end, None
                if not negated:
                    verdict, relation, value, relevant, words = self._judge(
                        item, bearers, named, asked
                    )
                    fact = (relation, value, words)
                    found.append(
                        Claim("fact", start, end, item, relation, value, verdict, relevant)
                    )
            elif word in ("keep", "skip"):
                if asked is not None and not decided:
                    decided, meets = True, self._meets(item, asked)
                    verdict = (
                        "unknown"
                        if meets is None
                        else "supported"
                        if meets == (word == "keep")
                        else "contradicted"
                    )
                    found.append(Claim("decision", start, end, item, "", word, verdict, True))
            elif fact is not None and text[at:start].isspace():  # else some other yes or no
                (relation, value, words), fact, at = fact, None, end
                if asked is not None:
                    found.append(
                        Claim(
                            "match",
                            start,
                            end,
                            item,
                            relation,
                            value,
                            "supported" if word in words else "contradicted",
                            True,
                        )
                    )
        return found

    def _shared(
        self, text: str, one: Mention, other: Mention, asked: Requirements | None
    ) -> list[Claim]:
        """ "A and B share their composer": in the rest of the sentence a word for sharing and a relation."""
        (first, start, _), (second, _, end) = one, other
        stop = _STOP.search(text, end)
        rest = text[end : stop.start() if stop else len(text)]
        negated, relation = self._clue(rest)
        if negated or not relation or not _SHARED.search(rest):
            return []
        mine, its = self.graph.attributes(first, relation), self.graph.attributes(second, relation)
        common = sorted(mine & its)
        verdict: Judgement = (
            "supported" if common else "contradicted" if mine and its else "unknown"
        )
        value = self.graph.arrays.attribute_ids[common[0]] if common else ""
        relevant = None if asked is None else relation in asked.relations
        return [
            Claim("fact", start, end + len(rest.rstrip()), item, relation, value, verdict, relevant)
            for item in (first, second)
        ]

    def _choose(
        self,
        attributes: tuple[int, ...],
        relation: str,
        asked: Requirements,
        denied: bool | None = None,
    ) -> tuple[str, str, bool]:
        """(relation, attribute id, whether it is right) of a name: the reading that is right, if there is one. A value is right that fits what the
        query needs; with `denied`, one that the query itself asks for, or rules out where it is denied."""
        readings = [
            (r, a)
            for a in attributes
            for r in ((relation,) if relation else self.graph.relations_of(a))
        ]
        for r, a in readings:
            number = self.graph.number(r)
            for need in asked.conditions:
                if need.relation == number and (number << 32 | a in need.codes) == (
                    need.holds if denied is None else need.holds is not denied
                ):
                    return r, self.graph.arrays.attribute_ids[a], True
        relation, attribute = readings[0] if readings else (relation, attributes[0])
        return relation, self.graph.arrays.attribute_ids[attribute], False

    def _read_clue(self, words: str) -> tuple[bool, str]:
        """Whether the words negate, and the last relation they name ("" for none)."""
        if not words or words.isspace():
            return False, ""
        named = [self._nouns[w] for w in _WORD.findall(words.lower()) if w in self._nouns]
        return bool(_NEGATION.search(words)), named[-1] if named else ""

    def _read_wanting(self, before: str) -> tuple[bool, bool, str]:
        """Of the words before a name: whether they say that something is needed, whether the name is denied, the relation it stands in."""
        denied, named = self._clue(before[before.rfind(" and ") + 1 :])
        return bool(_NEED.search(before)), denied, named or self._clue(before)[1]

    def _judgement(
        self, item: str, attributes: tuple[int, ...], relation: str, asked: Requirements | None
    ) -> tuple[Judgement, str, str, bool | None, frozenset[str]]:
        """(verdict, relation, attribute id, whether relevant, which of yes and no may follow). Any homonym that fits supports; contradicted only
        when a known relation excludes every reading."""
        readings = [
            (r, a)
            for a in attributes
            for r in ((relation,) if relation else self.graph.relations_of(a))
        ]
        verdicts = [self.graph.verdict_on_edge(item, r, a) for r, a in readings]
        verdict: Judgement = (
            "supported"
            if True in verdicts
            else "contradicted"
            if verdicts and all(v is False for v in verdicts)
            else "unknown"
        )
        likely = [reading for reading, v in zip(readings, verdicts, strict=True) if v] or readings
        if asked is None:
            deciding, words = [], frozenset()
        else:
            deciding = [(r, a) for r, a in likely if self._decides(item, r, a, asked)]
            telling = deciding if any(r in asked.relations for r, _ in likely) else likely
            words = frozenset(
                "yes" if self._reading((a,), r, asked)[2] else "no" for r, a in telling
            )
        relation, attribute = next(iter(deciding or likely), (relation, attributes[0]))
        return (
            verdict,
            relation,
            self.graph.arrays.attribute_ids[attribute],
            asked and bool(deciding),
            words,
        )

    def _decides(self, item: str, relation: str, attribute: int, asked: Requirements) -> bool:
        """Whether some condition can be decided by that value: one of its relation that the item has nothing for, or has this for."""
        number = self.graph.number(relation)
        held = [
            need.codes & self.graph.edges(item)
            for need in asked.conditions
            if need.relation == number
        ]
        return any(not codes or number << 32 | attribute in codes for codes in held)
