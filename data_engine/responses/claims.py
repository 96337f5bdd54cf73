"""Finds what a text states, and has it judged. Five kinds of claim:

fact       "Heat (1995) director Michael Mann", "A and B share their composer": an item's name, then
           an attribute's, before the next item or the end of the sentence. The relation word
           between them, if any, narrows it. Negated clauses are left alone.
need       "Need director Michael Mann": an attribute in a line that says what is needed, before the
           line names an item.
needs      the end of the last line that begins with "Need": whether all that the query asks for has
           been named.
match      "yes" or "no" right after an attribute of an item: whether that is what the query asks
           for.
decision   "keep" or "skip" after an item: whether it meets every condition.

Sentences ("it stars Sue Stone, but Bo Berg directed it, so it is out") are read by
`sentence_claims` and may state a lack too. A text with a line that ends as the terse lines do
("yes keep", "no skip") is terse throughout, so that the many responses of tiny policies are
judged as quickly as they can be.

Facts are supported, contradicted (the relation is known for that item and excludes the value) or
unknown; the other kinds are held against the Example's conditions, and left out where it has none.
Relevant is a fact that a condition can be decided by: of an item that has what is asked for,
another value of the same relation is beside the point, however true, and so is a yes or no after
it.
"""

from collections.abc import Sequence
from itertools import chain, pairwise

from data_engine.graphs.mapped import MappedGraph, Requirements
from data_engine.names.mentions import Hit, Mention, NameFinder
from data_engine.responses.claim import Claim, Judgement
from data_engine.responses.clues import NEEDS_LINE, SENTENCE_END, SHARING, WORD, ClueReader
from data_engine.responses.judging import ClaimJudge, JudgedFact
from data_engine.responses.reading import Span
from data_engine.responses.sentence_claims import SentenceClaims

REPLIES, DECISIONS = ("yes", "no"), ("keep", "skip")
NEAR = 9  # characters between two items that may be joined by "and"


class ClaimChecker:
    """Built once over the graph's attribute names, then read only."""

    def __init__(self, graph: MappedGraph) -> None:
        self.graph = graph
        self._judge, clues = ClaimJudge(graph), ClueReader(graph.relations)
        self._judge_fact, self._clue, self._need_clue = (
            self._judge.fact,
            clues.clue,
            clues.need_clue,
        )
        words = {word: word for word in REPLIES + DECISIONS}
        words |= {word.capitalize(): word for word in words}
        names = (
            (name, attribute)
            for name, attribute in graph.names()
            if not name.isdigit() and "".join(WORD.findall(name)) not in words
        )
        self._names = NameFinder(chain(names, words.items()), fold_case=False)
        self._sentences = SentenceClaims(graph, self._judge)

    def check(
        self, text: str, mentions: Sequence[Mention], required: Requirements | None
    ) -> list[Claim]:
        """The claims of a text, in the order in which they end.

        mentions: the items named in it, in order. required: the conditions of the query.
        """
        hits = self._names.find(text)
        if " no skip " in text or " yes keep " in text:
            return self._terse(text, mentions, hits, required)
        found, lines = self._sentences.claims(text, mentions, hits, required)
        if not lines:
            return self._terse(text, mentions, hits, required)
        rest = [m for m in mentions if not _inside(m[1], lines)]
        terse = [hit for hit in hits if not _inside(hit[0], lines)]
        return sorted(found + self._terse(text, rest, terse, required), key=_end)

    def _terse(
        self,
        text: str,
        mentions: Sequence[Mention],
        hits: list[Hit],
        required: Requirements | None,
    ) -> list[Claim]:
        """The claims of terse lines."""
        found: list[Claim] = []
        needs: list[Claim] = []
        opens = [start for _, start, _ in mentions] + [len(text)]
        k, count = 0, len(hits)
        while k < count and hits[k][0] < opens[0]:
            k += 1
        if required:
            needs += self._needs(text, hits[:k], required)
        for (item, _, at), after in zip(mentions, opens[1:], strict=True):
            first = k
            while k < count and hits[k][0] < after:
                k += 1
            if k > first:
                named = hits[first:k]
                found += self._statements(item, at, after, named, text, required)
                line = text.find("\n", at, named[-1][0]) if required else -1
                if required and line >= 0:
                    later = [hit for hit in named if hit[0] > line]
                    needs += self._needs(text, later, required)
        if required and needs:
            found += needs + self._completeness(text, needs, required)
            found.sort(key=_end)
        if shared := self._shared_facts(text, mentions, required):
            found = sorted(found + shared, key=_end)
        return found

    def _needs(self, text: str, hits: list[Hit], required: Requirements) -> list[Claim]:
        """Claims of need by names that stand in lines before any item."""
        found = []
        for start, end, attributes in hits:
            if isinstance(attributes[0], str):
                continue
            before = text[text.rfind("\n", 0, start) + 1 : start]
            wanted, denied, named = self._need_clue(before)
            if wanted:
                relation, value, right = self._judge.need(attributes, named, required, denied)
                verdict: Judgement = "supported" if right else "contradicted"
                relevant = relation in required.relations
                found.append(Claim("need", start, end, "", relation, value, verdict, relevant))
        return found

    def _completeness(self, text: str, needs: list[Claim], required: Requirements) -> list[Claim]:
        """Whether the needs named are all that the query has; [] where the last line that names one
        is not a line of needs alone.

        The claim is where that line ended too soon or, where nothing is lacking, all that follows
        the first need of the line.
        """
        last = needs[-1]
        begin, end = text.rfind("\n", 0, last.start) + 1, text.find("\n", last.end)
        rest = len(text[last.end : end if end >= 0 else len(text)].rstrip())
        if not rest or not NEEDS_LINE.match(text, begin):
            return []
        named = {(claim.relation, claim.value) for claim in needs if claim.verdict == "supported"}
        lacking = [pair for pair in self._judge.nameable(required) if pair not in named]
        relation, value = lacking[0] if lacking else ("", "")
        start = last.end if value else next(claim.end for claim in needs if claim.start >= begin)
        verdict: Judgement = "contradicted" if value else "supported"
        return [Claim("needs", start, last.end + rest, "", relation, value, verdict, True)]

    def _statements(
        self,
        item: str,
        at: int,
        after: int,
        hits: list[Hit],
        text: str,
        required: Requirements | None,
    ) -> list[Claim]:
        """What the names from `at` to the end of the sentence, or to `after`, state of an item."""
        # Most of the time of a score is spent here: plain names, no calls.
        stop = SENTENCE_END.search(text, at, after)
        until = stop.start() if stop else after
        found: list[Claim] = []
        relation, negated, decided = "", False, required is None
        fact: JudgedFact | None = None  # the last one, where a yes or no may follow
        for start, end, bearers in hits:
            if end > until:
                break
            word = bearers[0]
            if start < at:
                continue
            if not isinstance(word, str):
                before = text[at:start]
                denied, named = self._clue(before)
                negated = denied or (negated and "," not in before)
                relation, at, fact = named or relation, end, None
                if not negated:
                    fact = self._judge_fact(item, bearers, relation, required)
                    verdict, read, value, relevant, _ = fact
                    found.append(Claim("fact", start, end, item, read, value, verdict, relevant))
            elif word in DECISIONS:
                if required is not None and not decided:
                    decided = True
                    found.append(self._decision(item, start, end, word, required))
            elif fact is not None and text[at:start].isspace():  # else some other yes or no
                if required is not None:
                    found.append(_match(item, start, end, word, fact))
                fact, at = None, end
        return found

    def _decision(
        self, item: str, start: int, end: int, word: str, required: Requirements
    ) -> Claim:
        meets = self._judge.fits(item, required)
        verdict: Judgement = "unknown"
        if meets is not None:
            verdict = "supported" if meets == (word == "keep") else "contradicted"
        return Claim("decision", start, end, item, "", word, verdict, True)

    def _shared_facts(
        self, text: str, mentions: Sequence[Mention], required: Requirements | None
    ) -> list[Claim]:
        """Two facts for each "A and B share their composer"."""
        found: list[Claim] = []
        for one, other in pairwise(mentions):
            if other[1] - one[2] < NEAR and text[one[2] : other[1]].strip() in ("and", "&"):
                found += self._shared(text, one, other, required)
        return found

    def _shared(
        self, text: str, one: Mention, other: Mention, required: Requirements | None
    ) -> list[Claim]:
        """The facts of two items, where the rest of the sentence has a word for sharing and a
        relation.
        """
        (first, start, _), (second, _, end) = one, other
        stop = SENTENCE_END.search(text, end)
        rest = text[end : stop.start() if stop else len(text)]
        negated, relation = self._clue(rest)
        if negated or not relation or not SHARING.search(rest):
            return []
        sets = [self.graph.attributes(item, relation) for item in (first, second)]
        common = sorted(sets[0] & sets[1])
        verdict: Judgement = "unknown"
        if all(sets):
            verdict = "supported" if common else "contradicted"
        value = self.graph.arrays.attribute_ids[common[0]] if common else ""
        relevant = None if required is None else relation in required.relations
        close = end + len(rest.rstrip())
        return [
            Claim("fact", start, close, item, relation, value, verdict, relevant)
            for item in (first, second)
        ]


def _match(item: str, start: int, end: int, word: str, fact: JudgedFact) -> Claim:
    verdict: Judgement = "supported" if word in fact.replies else "contradicted"
    return Claim("match", start, end, item, fact.relation, fact.value, verdict, True)


def _inside(place: int, spans: list[Span]) -> bool:
    return any(start <= place < end for start, end in spans)


def _end(claim: Claim) -> int:
    return claim.end
