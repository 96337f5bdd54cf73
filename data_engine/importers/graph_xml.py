"""GraphML and GEXF as nodes and edges with the texts they carry, from any tool that writes them.

Values stay text, so no declared type is unknown, and keys need no declaration (Neo4j leaves them
out). Nothing outside the file is read and no entity is declared in it.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from data_engine.errors import ImportRefused

ENDINGS = (".gexf", ".graphml")
MOST_BYTES = 2**31  # the graph is held in memory
LONGEST_TEXT = 1_000_000  # characters of one value
_KEYS = {"key": ("attr.name", "for"), "attribute": ("title", "class")}  # GraphML, GEXF
_STRUCTURE = {"id", "source", "target", "directed", "pid"}
_SHAPES = {"directed", "undirected", "mutual"}  # GEXF's edge types are no relations

Facts = Mapping[str, str]  # lower-case name → text


@dataclass(frozen=True)
class Graph:
    """Node id → its facts; edges (source, target, facts) in the order of the file."""

    nodes: dict[str, Facts] = field(default_factory=dict)
    edges: list[tuple[str, str, Facts]] = field(default_factory=list)


def read_graph(path: Path) -> Graph:
    """Raises ImportRefused, with the line, for another or a broken file, or one with entities."""
    if path.stat().st_size > MOST_BYTES:
        raise ImportRefused(
            f"{path}: larger than {MOST_BYTES >> 20} MiB: write it as N-Triples (.nt)"
        )
    reader = _Reader()
    try:
        with path.open("rb") as handle:
            reader.parser.ParseFile(handle)
    except (expat.ExpatError, ValueError, LookupError, OSError) as error:
        line = reader.parser.CurrentLineNumber
        raise ImportRefused(f"{path}: cannot be read: {error} (line {line})") from error
    if reader.root not in ("graphml", "gexf"):
        raise ImportRefused(f"{path}: cannot be read: <{reader.root}> is neither GraphML nor GEXF")
    return reader.graph


class _Reader:
    """Handlers of an expat parser that fill `graph`. Raises ValueError with the reason."""

    def __init__(self) -> None:
        self.graph, self.root = Graph(), ""
        self._open: list[dict[str, str]] = []  # the nodes and edges that the parser is in
        self._names: dict[str, str] = {}  # key or attribute id → name
        self._defaults: dict[str, dict[str, str]] = {"node": {}, "edge": {}}
        self._key = self._kind = ""  # of the value that is read
        self._text: list[str] = []
        self._size = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler, self.parser.EntityDeclHandler = self._read, self._entity

    def _start(self, element: str, given: dict[str, str]) -> None:
        tag = element.rpartition(" ")[2]
        self.root = self.root or tag
        self._text, self._size = [], 0
        if tag == "hyperedge":
            raise ValueError("an edge of more than two ends (hyperedge)")
        if tag in ("node", "edge"):
            self._enter(tag, given)
        elif tag in _KEYS:
            name, kind = _KEYS[tag]
            self._key = self._named(given, "id")
            self._names[self._key] = given.get(name, self._key).lower()
            self._kind = given.get(kind, self._kind)
        elif tag == "attributes":
            self._kind = given.get("class", "node")
        elif tag == "data":
            self._key = self._named(given, "key")
        elif tag == "attvalue" and self._open:
            key = given.get("for") or self._named(given, "id")  # id: GEXF 1.0
            self._fact(key, given.get("value", ""))

    def _enter(self, tag: str, given: dict[str, str]) -> None:
        facts = {
            name.rpartition(" ")[2].lower(): value
            for name, value in given.items()
            if name not in _STRUCTURE and not (name == "type" and value in _SHAPES)
        }
        self._open.append(facts)
        whole = ChainMap(facts, self._defaults[tag])
        if tag == "node":
            self.graph.nodes[self._named(given, "id")] = whole
        else:
            ends = self._named(given, "source"), self._named(given, "target")
            self.graph.edges.append((*ends, whole))

    def _end(self, element: str) -> None:
        tag, text = element.rpartition(" ")[2], "".join(self._text).strip()
        if tag in ("node", "edge"):
            self._open.pop()
        elif tag == "default":
            for kind, defaults in self._defaults.items():
                if self._kind in (kind, "all"):
                    defaults[self._names[self._key]] = text
        elif tag == "data" and self._open and text:
            self._fact(self._key, text)
        elif tag in ("NodeLabel", "EdgeLabel") and self._open and text:  # yEd
            self._open[-1].setdefault("label", text)
        self._text, self._size = [], 0

    def _fact(self, key: str, value: str) -> None:
        self._open[-1][self._names.get(key, key.lower())] = value.strip()

    def _read(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST_TEXT:
            raise ValueError(f"a value of more than {LONGEST_TEXT} characters")
        self._text.append(text)

    def _entity(self, name: str, *_: object) -> None:
        raise ValueError(f"it declares an entity ({name}): entities are not read")

    @staticmethod
    def _named(given: dict[str, str], name: str) -> str:
        if name not in given:
            raise ValueError(f"an element without its {name}")
        return given[name]
