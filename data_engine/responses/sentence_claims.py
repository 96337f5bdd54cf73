"""The claims of the lines of a text that are sentences: what `prose` reads, judged.

Common nouns are read in lower case and plural too ("isn't a comedy"), which names of people and
things are not.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from data_engine.graphs.mapped import MappedGraph, Requirements
from data_engine.names.mentions import Hit, Mention, NameFinder
from data_engine.responses.claim import Claim, Judgement
from data_engine.responses.judging import ClaimJudge
from data_engine.responses.prose import ProseReader
from data_engine.responses.reading import Span
from data_engine.responses.statements import Statement
from data_engine.responses.tokens import is_prose, sentences

COMMON = frozenset("genre category style mood format language subject type theme".split())
_LINE = re.compile(r"[^\n]*\S[^\n]*")


class SentenceClaims:
    """`claims(text, mentions, hits, required)`: the claims, and the spans of the lines that are
    sentences.
    """

    def __init__(self, graph: MappedGraph, judge: ClaimJudge) -> None:
        self.graph, self._judge = graph, judge
        self._reader = ProseReader(graph.relations)
        self._terse = frozenset(" ".join(graph.relations).replace("_", " ").split())

    @cached_property
    def _common(self) -> NameFinder:
        """Finds common nouns in lower case; made when the first sentence is read."""
        found = []
        for name, number in self.graph.names():
            relations = set(self.graph.relations_of(number))
            if relations & COMMON and not name.isdigit():
                low = name.lower()
                plural = low[:-1] + "ies" if low.endswith("y") else low + "s"
                found += [(form, number) for form in (low, plural, plural.capitalize())]
        return NameFinder(found, fold_case=False)

    def claims(
        self,
        text: str,
        mentions: Sequence[Mention],
        hits: Sequence[Hit],
        required: Requirements | None,
    ) -> tuple[list[Claim], list[Span]]:
        """See the class."""
        found: list[Claim] = []
        lines: list[Span] = []
        last: tuple[str, ...] = ()
        needs: list[Claim] = []
        whole = True
        for line in _LINE.finditer(text):
            start, end = line.span()
            if text.startswith("<answer>", start):
                break
            named = [m for m in mentions if start <= m[1] < end]
            if not is_prose(_without(text, start, end, named, hits), self._terse):
                last = tuple(m[0] for m in named[-1:]) or last
                continue
            lines.append((start, end))
            values = self._values(text, start, end, named, hits)
            for sentence in sentences(text, start, end, named, values):
                said, last, lost = self._reader.read(sentence, last)
                made = [c for one in said for c in self._claims(one, required)]
                asked = [claim for claim in made if claim.kind == "need"]
                whole = whole and not lost
                needs += asked
                found += made
        if required and needs and whole:
            found.append(self._completeness(needs, required))
        found.sort(key=lambda claim: claim.end)
        return found, lines

    def _values(
        self, text: str, start: int, end: int, named: list[Mention], hits: Sequence[Hit]
    ) -> list[Hit]:
        """The names of attributes in a line, outside the titles, common nouns too."""
        taken = [(s, e) for _, s, e in named]
        found = []
        line = text[start:end]
        common = [(s + start, e + start, ids) for s, e, ids in self._common.find(line)]
        inside = [hit for hit in hits if start <= hit[0] < end and isinstance(hit[2][0], int)]
        for hit in [*inside, *common]:
            if all(hit[1] <= s or hit[0] >= e for s, e in taken):
                taken.append((hit[0], hit[1]))
                found.append(hit)
        return found

    def _claims(self, said: Statement, required: Requirements | None) -> list[Claim]:
        """The claims of a statement, one for each item."""
        if said.kind == "need":
            return self._need(said, required) if required else []
        if said.kind == "decision":
            return [self._decision(said, item, required) for item in said.items if required]
        judge = self._judge.lack if said.denied else self._judge.fact
        relation = self._fitting(said)
        kept: list[Claim] = []
        kind: Literal["fact", "lack"] = "lack" if said.denied else "fact"
        for item in said.items:
            verdict, read, value, relevant, _ = judge(item, said.attributes, relation, required)
            kept.append(Claim(kind, said.start, said.end, item, read, value, verdict, relevant))
        return kept

    def _fitting(self, said: Statement) -> str:
        """The relation that was said; "" where none of the attributes ever stands in it and the
        noun says itself what it is ("a comedy").
        """
        common = set[str]()
        for attribute in said.attributes:
            common |= set(self.graph.relations_of(attribute))
        return "" if common & COMMON and said.relation not in common else said.relation

    def _need(self, said: Statement, required: Requirements) -> list[Claim]:
        relation, value, right = self._judge.need(
            said.attributes, self._fitting(said), required, said.denied
        )
        verdict: Judgement = "supported" if right else "contradicted"
        relevant = relation in required.relations
        return [Claim("need", said.start, said.end, "", relation, value, verdict, relevant)]

    def _decision(self, said: Statement, item: str, required: Requirements | None) -> Claim:
        verdict: Judgement = "unknown"
        meets = self._judge.fits(item, required) if required else None
        if meets is not None:
            verdict = "supported" if meets == (said.word == "keep") else "contradicted"
        return Claim("decision", said.start, said.end, item, "", said.word, verdict, True)

    def _completeness(self, needs: list[Claim], required: Requirements) -> Claim:
        """Whether the needs that were read are all that the query has; at the last one's place."""
        named = {(claim.relation, claim.value) for claim in needs if claim.verdict == "supported"}
        lacking = [pair for pair in self._judge.nameable(required) if pair not in named]
        relation, value = lacking[0] if lacking else ("", "")
        verdict: Judgement = "contradicted" if value else "supported"
        start, end = needs[-1].start, needs[-1].end
        return Claim("needs", start, end, "", relation, value, verdict, True)


def _without(text: str, start: int, end: int, named: list[Mention], hits: Sequence[Hit]) -> str:
    """The line without the titles and names in it."""
    spans = [(s, e) for _, s, e in named]
    spans += [(s, e) for s, e, ids in hits if start <= s < end and isinstance(ids[0], int)]
    at, kept = start, []
    for s, e in sorted(spans):
        kept.append(text[at:s] if s > at else " ")
        at = max(at, e)
    return " ".join([*kept, text[at:end]])
