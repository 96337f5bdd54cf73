"""The real queries beside their hand labels: what was understood, and what was missed."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agents.assistant.request import Request
from agents.assistant.understanding.understand import Understanding
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.titles import TitleResolver

SHARED = Path(__file__).resolve().parents[3].parent / "shared/data"
QUERIES = SHARED / "recbench_plus/samples.jsonl"
LABELS = Path(__file__).with_name("real_labels.toml")


class Compared(NamedTuple):
    """One query: what was understood and what the labels say, by what it is of."""

    number: int
    part: str
    got: frozenset[Any]
    wanted: frozenset[Any]


def compared(graph: InvertedGraph) -> Iterator[Compared]:
    """All queries by part; of the labels only what the graph has names for."""
    understanding, resolver = Understanding(graph), TitleResolver(dict(graph.titles()))
    known = {name.casefold() for name, _ in graph.names()}
    texts = [json.loads(line)["query"] for line in QUERIES.read_text("utf-8").splitlines()]
    for number, label in tomllib.loads(LABELS.read_text("utf-8")).items():
        request = understanding.understand(texts[int(number) - 1]).request
        asked = [(r, n.casefold()) for r, n in label.get("conditions", ())]
        wanted = {(r, n) for r, n in asked if n in known or " " in r}
        group = {(AUDIENCE, label["group"].casefold())} if "group" in label else set()
        yield Compared(int(number), "conditions", _conditions(request), frozenset(wanted | group))
        titles = {resolver.resolve(title).items for title in label.get("anchors", ())}
        wanted_titles = frozenset(items for items in titles if items)
        got = frozenset((item,) for item in request.anchors)
        loose = {items for items in wanted_titles if not got.isdisjoint({(i,) for i in items})}
        missing = wanted_titles - loose
        extra = {one for one in got if not any(one[0] in items for items in wanted_titles)}
        yield Compared(int(number), "anchors", frozenset(loose | extra), frozenset(loose | missing))
        premises = {
            (items, r, n.casefold())
            for title, r, n in label.get("premises", ())
            if (items := resolver.resolve(title).items)
        }
        stated = frozenset(((p.item,), p.relation, p.name.casefold()) for p in request.premises)
        yield Compared(int(number), "premises", stated, frozenset(premises))
        found = {wish.condition.relation for wish in request.wishes if wish.since}
        found |= {shared.relation for shared in request.shared}
        yield Compared(int(number), "same", frozenset(found), frozenset(label.get("same", ())))
        said = " ".join(span.text for span in request.not_understood).casefold()
        absent = {n for r, n in asked if n not in known and " " not in r}
        told = {n for n in absent if n.split()[-1] in said}
        yield Compared(int(number), "unknown names", frozenset(told), frozenset(absent))


def scores(found: list[Compared], part: str) -> tuple[float, float, float]:
    """(precision, recall, F1) of a part over all queries."""
    counts: Counter[str] = Counter()
    for one in found:
        if one.part == part:
            counts["right"] += len(one.got & one.wanted)
            counts["got"] += len(one.got)
            counts["wanted"] += len(one.wanted)
    precision = counts["right"] / max(1, counts["got"])
    recall = counts["right"] / max(1, counts["wanted"])
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def _conditions(request: Request) -> frozenset[tuple[str, str]]:
    """The named conditions; not those found by way of an anchor."""
    named = [wish.condition for wish in request.wishes if not wish.since]
    return frozenset(
        (c.relation if c.op == "is" else f"{c.relation} {c.op}", c.name.casefold()) for c in named
    )
