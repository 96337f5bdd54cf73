"""Groups of users: "popular with teenagers", "people aged 25-34", "as a grad student"."""

import re
from collections.abc import Iterator

from agents.assistant.understanding.lexicon import mistyped, vocabulary
from data_engine.graphs.audience import EVERYONE, RELATION
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.mentions import NameFinder
from data_engine.schema import Condition

_WORD = re.compile(r"[^\W\d_]+")
# One who belongs to a group, or whom it is for: before words that are said of other things too.
_CUE = re.compile(
    r"\b(?:with|for|among|to|as an?|do|would|i'?m (?:an?|in my)|what|that|which)\s+(?:the\s+)?$",
    re.IGNORECASE,
)


class GroupReader:
    """Reads groups that some item of the graph is popular with.

    plain: words that need no correction.
    """

    def __init__(self, graph: InvertedGraph, plain: frozenset[str]) -> None:
        self._name = graph.name
        known = {graph.name(v): v for v in graph.values_in(RELATION) if v != EVERYONE}
        forms = list(_forms(known))
        self._finder = NameFinder(forms, True)
        said = _WORD.findall(" ".join(form for form, _ in forms).lower())
        self._mistyped = mistyped(word for word in said if word not in plain)

    def find(self, text: str) -> Iterator[tuple[int, int, Condition]]:
        """(start, end, condition) of each group in a text."""
        text, places = self._corrected(text)
        for start, end, values in self._finder.find(text):
            if " " in text[start:end] or _CUE.search(text[:start]):
                name = self._name(values[0])
                yield (
                    places[start],
                    places[end],
                    Condition(relation=RELATION, value=values[0], name=name),
                )

    def _corrected(self, text: str) -> tuple[str, list[int]]:
        """The text without typing mistakes in words of groups, and where its characters were."""
        if not self._mistyped:
            return text, list(range(len(text) + 1))
        parts, places, at = list[str](), list[int](), 0
        for match in _WORD.finditer(text):
            word = self._mistyped.get(match[0].lower(), match[0])
            parts += [text[at : match.start()], word]
            places += range(at, match.start())
            places += [min(match.start() + k, match.end() - 1) for k in range(len(word))]
            at = match.end()
        return "".join((*parts, text[at:])), [*places, *range(at, len(text) + 1)]


def _forms(known: dict[str, str]) -> Iterator[tuple[str, str]]:
    said = vocabulary("groups")["words"]
    for name, value in known.items():
        column, _, rest = name.partition(" ")
        for form in said.get(name, "").split(", "):
            if form:
                yield form, value
        if column == "age":
            for form in (f"people aged {rest}", f"the {rest} age group", f"aged {rest}"):
                yield form, value
        elif column == "occupation":
            yield f"people whose job is {rest}", value
        else:
            yield f"people of gender {rest}", value
