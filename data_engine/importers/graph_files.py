"""An attribute graph from a file, for the items a store already holds: N-Triples, GEXF or GraphML.

An N-Triples subject is an item when its URI is an item id, or stands beside one in a links file; objects are named by their rdfs:label.
In GEXF and GraphML (the form the ReRec code keeps its graph in, and what `rerec data export-graph` writes) a node is an item when its id
or its label is one; an edge from it names its relation as `relation`, `label` or `type`.
"""

import re
from pathlib import Path
from xml.etree.ElementTree import ParseError

import duckdb
import networkx as nx
from pydantic import BaseModel, ConfigDict

from data_engine.errors import ImportRefused
from data_engine.filling import append, literal, note_reject, put_edges
from data_engine.importers.tables import Tables

READERS = {".gexf": nx.read_gexf, ".graphml": nx.read_graphml}
_TRIPLE = r"^\s*(<[^>]*>|_:\S+)\s+<([^>]*)>\s+(<([^>]*)>|_:\S+|\"((?:[^\"\\]|\\.)*)\"(?:@[\w-]+|\^\^<[^>]*>)?)\s*\.\s*(#.*)?$"
_ESCAPE = re.compile(r"\\(?:([tbnrf\"'\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


class GraphFile(BaseModel):
    """One file, read into the edges and attributes of a store that has items. `links`: a table of (item, uri) with a header."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: Path
    links: Path | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill edges and attributes. Raises ImportRefused for an unknown ending, a broken file, or one in which no item is found."""
        if not self.path.is_file():
            raise ImportRefused(f"no file at {self.path}")
        if self.path.suffix in READERS:
            self._from_networkx(db, READERS[self.path.suffix])
        elif ".nt" in self.path.suffixes:
            self._from_triples(db)
        else:
            raise ImportRefused(f"cannot read {self.path}: the ending must be .nt (or .nt.gz), {' or '.join(READERS)}")

    def _from_networkx(self, db: duckdb.DuckDBPyConnection, read: object) -> None:
        try:
            graph = read(self.path)
        except (ParseError, nx.NetworkXError, ValueError, KeyError) as error:
            raise ImportRefused(f"{self.path}: cannot be read: {error}") from error
        titles = {title: item for item, title in db.execute("SELECT item_id, title FROM items").fetchall()}
        ids = set(titles.values())
        item_of = {}
        for node, facts in graph.nodes(data=True):
            plain = str(node).removeprefix("item:")
            item = plain if plain in ids else titles.get(str(facts.get("label", "")))
            if item is not None and not str(node).startswith("attribute:"):
                item_of[node] = item
        rows = []
        for one, other, facts in graph.edges(data=True):
            relation = next((str(facts[key]) for key in ("relation", "label", "type") if facts.get(key)), "related")
            for item, value in ((one, other), (other, one)):
                if item in item_of and value not in item_of:
                    identity = str(value).removeprefix("attribute:")
                    rows.append((item_of[item], relation, identity, str(graph.nodes[value].get("label", identity)), len(rows)))
        self._refuse_strangers(bool(rows))
        db.execute("CREATE OR REPLACE TEMP TABLE read_edges (item_id VARCHAR, relation VARCHAR, attribute_id VARCHAR, name VARCHAR, place BIGINT)")
        append(db, "read_edges", ("item_id", "relation", "attribute_id", "name", "place"), rows)
        put_edges(db, "FROM read_edges")

    def _from_triples(self, db: duckdb.DuckDBPyConnection) -> None:
        lines = (
            f"read_csv({literal(self.path)}, auto_detect = false, header = false, delim = {literal(chr(1))}, quote = '', escape = '', "
            "columns = {'line': 'VARCHAR'}, max_line_size = 16777216)"
        )
        db.execute(
            "CREATE OR REPLACE TEMP TABLE triples AS SELECT n, line, regexp_extract(line, $1, 1).trim('<>') AS s, regexp_extract(line, $1, 2) AS p, "
            "regexp_extract(line, $1, 4) AS o, regexp_extract(line, $1, 5) AS text "
            f"FROM (SELECT row_number() OVER () AS n, line FROM {lines}) WHERE line NOT SIMILAR TO '\\s*(#.*)?'",
            [_TRIPLE],
        )
        bad, first = db.execute("SELECT count(*), min(n) FROM triples WHERE p = ''").fetchone()
        if bad:
            note_reject(db, f"lines that are no N-Triples (first: line {first})", bad)
        escaped = db.execute("SELECT n, text FROM triples WHERE contains(text, chr(92))").fetchall()
        db.execute("CREATE OR REPLACE TEMP TABLE plain (n BIGINT, text VARCHAR)")
        append(db, "plain", ("n", "text"), [(n, _ESCAPE.sub(_unescaped, text)) for n, text in escaped])
        db.execute("UPDATE triples SET text = plain.text FROM plain WHERE plain.n = triples.n")
        linked = "SELECT item_id, item_id AS uri FROM items"
        if self.links is not None:
            linked += f" UNION {Tables(folder=self.links.parent, files={'items': self.links}).links(db)}"
        labels = f"SELECT s, arg_min(text, n) AS name FROM triples WHERE p = {literal(LABEL)} GROUP BY 1"
        edges = (
            "SELECT item_id, regexp_extract(p, '[^/#]+$') AS relation, coalesce(nullif(o, ''), 'text:' || text) AS attribute_id, "
            "coalesce(labels.name, nullif(text, ''), replace(regexp_extract(o, '[^/#]+$'), '_', ' ')) AS name, n AS place "
            f"FROM triples JOIN ({linked}) linked ON s = uri LEFT JOIN ({labels}) labels ON labels.s = o "
            f"WHERE p NOT IN ('', {literal(LABEL)})"
        )
        self._refuse_strangers(bool(db.execute(f"SELECT 1 FROM ({edges}) LIMIT 1").fetchone()))
        put_edges(db, edges)

    def _refuse_strangers(self, found: bool) -> None:
        if not found:
            raise ImportRefused(
                f"{self.path}: no edge of an item of the store: nodes must carry item ids or titles (N-Triples: item URIs, or --links)"
            )


def _unescaped(found: re.Match[str]) -> str:
    letter, short, long = found.groups()
    code = int(short or long or "0", 16)
    return _PLAIN.get(letter, letter) if letter else chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
