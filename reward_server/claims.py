"""Factual claims in a segment, checked on the attribute graph: "Heat (1995) director Michael Mann".

A claim is an item's name with an attribute's name after it, before the next item or the end of the sentence. The relation
word between them, if any, narrows it. Negated clauses are left alone. Judged against the graph it is supported, contradicted
(the relation is known for that item and excludes the value) or unknown.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from data_engine.graphs import AttributeGraph
from data_engine.titles import Mention

Judgement = Literal["supported", "contradicted", "unknown"]

_NEGATION = re.compile(r"\b(no|not|never|without|isn't|wasn't|doesn't|didn't|nor)\b", re.IGNORECASE)
_NAME = re.compile(r"[^\W_][\w'’.-]*")
_SENTENCE = re.compile(r"[;?!]|\.(?=\s|$)")
_NOUNS = {
    "star": "starring",
    "stars": "starring",
    "actor": "starring",
    "actress": "starring",
    "directed": "director",
    "music": "composer",
    "written": "writer",
}


class ClaimChecker:
    """Built once over the graph's attribute names, then read only."""

    def __init__(self, graph: AttributeGraph) -> None:
        self.graph = graph
        self._by_name: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for attribute, name in graph.names.items():
            if (parts := tuple(_NAME.findall(name))) and not name.isdigit():
                self._by_name[parts].add(attribute)
        self._longest = max(map(len, self._by_name), default=0)
        self._relations_of: dict[str, set[str]] = defaultdict(set)
        for relation, attribute in graph.holders:
            self._relations_of[attribute].add(relation)

    def check(self, text: str, mentions: Sequence[Mention]) -> list[Judgement]:
        """One judgement for each claim in `text`, whose item mentions are given in order."""
        found, ends = [], [*(m.start for m in mentions[1:]), len(text)]
        for mention, after in zip(mentions, ends[: len(mentions)], strict=True):
            stop = _SENTENCE.search(text, mention.end, after)
            clause = text[mention.end : stop.start() if stop else after]
            found += self._clause(mention.item, clause)
        return found

    def _clause(self, item: str, clause: str) -> list[Judgement]:
        tokens = [m.group().rstrip(".") for m in _NAME.finditer(clause)]
        found, k, relation = [], 0, None
        while k < len(tokens):
            n = next((n for n in range(min(self._longest, len(tokens) - k), 0, -1) if tuple(tokens[k : k + n]) in self._by_name), 0)
            if n:
                if not _NEGATION.search(" ".join(tokens[:k])):
                    found.append(self._judge(item, self._by_name[tuple(tokens[k : k + n])], relation))
                k += n
            else:
                word = tokens[k].lower()
                relation = _NOUNS.get(word, word if word in self.graph.relations else relation)
                k += 1
        return found

    def _judge(self, item: str, attributes: set[str], relation: str | None) -> Judgement:
        """Any homonym that fits supports; contradicted only when every reading of it is excluded by a known relation."""
        readings = [(r, a) for a in attributes for r in ((relation,) if relation else self._relations_of[a])]
        if any(self.graph.has(item, r, a) for r, a in readings):
            return "supported"
        return "contradicted" if readings and all(self.graph.excludes(item, r, a) for r, a in readings) else "unknown"
