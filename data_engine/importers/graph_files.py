"""An attribute graph from a file, for the items a store already holds: N-Triples, GEXF or GraphML.

An N-Triples subject is an item when its URI is an item id, or stands beside one in a links file;
objects are named by their rdfs:label. GEXF and GraphML are what the ReRec code keeps its graph in,
and what Neo4j (apoc.export.graphml) and `rerec data export-graph` write: a node is an item when its
id or its label, title or name is one; an edge of it, in either direction, names its relation.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

import duckdb

from data_engine.errors import ImportRefused
from data_engine.importers.graph_xml import ENDINGS, Facts, Graph, read_graph
from data_engine.importers.tables import Tables
from data_engine.names.cleaning import clean_text
from data_engine.runtime.config import Config
from data_engine.store.filling import put_edges
from data_engine.store.notes import note_reject, note_understood
from data_engine.store.plain_text import encoding_of, readable
from data_engine.store.sql import Row, append, literal, one_row

_TRIPLE = (
    r"^\s*(<[^>]*>|_:\S+)\s+<([^>]*)>\s+"
    r"(<([^>]*)>|_:\S+|\"((?:[^\"\\]|\\.)*)\"(?:@([\w-]+)|(\^\^<[^>]*>))?)\s*\.\s*(#.*)?$"
)
_ESCAPE = re.compile(r"\\(?:([tbnrf\"'\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
TRIPLE_PARTS = ["s", "p", "o", "iri", "text", "language", "datatype"]
BARE_ID = r"[A-Za-z]{0,2}[0-9]+|[mg]\.\w+"  # Q42, 1234, m.0g1
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
RELATION = ("relation", "label", "edge label", "interaction", "kind", "type")
NAME = ("label", "name", "title")


class GraphFile(Config):
    """One file, read into the edges and attributes of a store that has items.

    links: a table of (item, uri) with a header. language: of the labels and texts that are taken
    where a thing has several ("en" also stands for "en-US"); then those without a language, then
    those of the first language in the alphabet.
    """

    path: Path
    links: Path | None = None
    language: str = "en"

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill edges and attributes. Raises ImportRefused for an unknown ending, a broken file, or
        one in which no item is found.
        """
        if not self.path.is_file():
            raise ImportRefused(f"no file at {self.path}")
        if self.path.suffix in ENDINGS:
            self._from_xml(db)
        elif ".nt" in self.path.suffixes:
            self._from_triples(db)
        else:
            endings = " or ".join(ENDINGS)
            raise ImportRefused(
                f"cannot read {self.path}: the ending must be .nt (or .nt.gz), {endings}"
            )

    def _from_xml(self, db: duckdb.DuckDBPyConnection) -> None:
        graph = read_graph(self.path)
        items = _Items(dict(db.execute("SELECT item_id, title FROM items").fetchall()), graph)
        rows: list[Row] = []
        between, nameless = 0, dict[str, None]()
        for one, other, facts in graph.edges:
            between += one in items.of and other in items.of
            for node, value in ((one, other), (other, one)):
                if node in items.of and value not in items.of:
                    about = graph.nodes.get(value, {})
                    identity = value.removeprefix("attribute:")
                    name = _first(about, NAME)
                    if not name:
                        nameless[identity] = None
                    relation = _first(facts, RELATION) or _kind(about) or "related"
                    rows.append((items.of[node], relation, identity, name or identity, len(rows)))
        self._refuse_strangers(bool(rows))
        _say(db, "edges", between, "join two items: they are left out")
        _say(db, "names", len(nameless), "nodes have none: their ids stand for them", nameless)
        unsure = items.unsure
        _say(db, "titles", len(unsure), "nodes bear that of several items: left out", unsure)
        columns = ("item_id", "relation", "attribute_id", "name", "place")
        db.execute(
            "CREATE OR REPLACE TEMP TABLE read_edges "
            "(item_id TEXT, relation TEXT, attribute_id TEXT, name TEXT, place BIGINT)"
        )
        append(db, "read_edges", columns, rows)
        put_edges(db, "FROM read_edges")

    def _from_triples(self, db: duckdb.DuckDBPyConnection) -> None:
        self._read_triples(db)
        self._read_links(db)
        _normalise(db)
        self._choose_texts(db)
        db.execute(f"""
            CREATE OR REPLACE TEMP TABLE named AS
            SELECT item_id, {_last_part("p")} AS relation,
                coalesce(o, 'text:' || text) AS attribute_id,
                coalesce(text, labels.name, CASE WHEN NOT starts_with(o, '_:')
                    THEN replace(coalesce(shown, {_last_part("o")}), '_', ' ') END) AS name,
                text IS NULL AND labels.name IS NULL AS by_iri, n AS place
            FROM triples JOIN linked ON s = uri
            LEFT JOIN labels USING (o) LEFT JOIN (SELECT DISTINCT iri, shown FROM iris) ON iri = o
            WHERE p NOT IN ('', {literal(LABEL)}) AND taken AND coalesce(trim(text) <> '', true)""")
        edges = "SELECT * FROM named WHERE name IS NOT NULL"
        self._refuse_strangers(bool(db.execute(f"SELECT 1 FROM ({edges}) LIMIT 1").fetchone()))
        counted = (
            "SELECT count(DISTINCT attribute_id), count(*), min(attribute_id) FROM named WHERE"
        )
        count, several, _ = one_row(db, f"{counted} name IS NULL")
        _say(db, "blank nodes", count, f"have no label: left out, {several} edges with them")
        bare = f"by_iri AND regexp_full_match(name, {literal(BARE_ID)})"
        count, _, first = one_row(db, f"{counted} {bare}")
        _say(db, "names", count, "IRIs have none: ids stand for them", [first])
        put_edges(db, edges)

    def _read_triples(self, db: duckdb.DuckDBPyConnection) -> None:
        """Into `triples`: n (place in the file), s, p, o (IRI or blank node, NULL for a literal),
        text (NULL for no literal), its language and datatype ("" for none), taken.
        """
        encoding = encoding_of(self.path)
        note_understood(db, "encoding", encoding)
        source = readable(self.path, encoding)
        db.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE triples AS
            SELECT n, t.s.trim('<>') AS s, t.p,
                CASE WHEN NOT starts_with(t.o, '"') THEN t.o.trim('<>') END AS o,
                CASE WHEN starts_with(t.o, '"') THEN t.text END AS text,
                lower(t.language) AS language, t.datatype, true AS taken
            FROM (SELECT n, regexp_extract(line, $1, {TRIPLE_PARTS}) AS t
                FROM (SELECT row_number() OVER () AS n, line
                    FROM read_csv({literal(source)}, auto_detect = false, header = false,
                        delim = chr(1), quote = '', escape = '', columns = {{'line': 'VARCHAR'}},
                        max_line_size = 16777216))
                WHERE line NOT SIMILAR TO '\\s*(#.*)?')""",
            [_TRIPLE],
        )
        bad, first = one_row(db, "SELECT count(*), min(n) FROM triples WHERE p = ''")
        if bad:
            note_reject(db, f"lines that are no N-Triples (first: line {first})", bad)
        escaped = db.execute("SELECT n, text FROM triples WHERE contains(text, chr(92))").fetchall()
        db.execute("CREATE OR REPLACE TEMP TABLE plain (n BIGINT, text VARCHAR)")
        append(
            db, "plain", ("n", "text"), [(n, _ESCAPE.sub(_unescaped, text)) for n, text in escaped]
        )
        db.execute("UPDATE triples SET text = plain.text FROM plain WHERE plain.n = triples.n")

    def _read_links(self, db: duckdb.DuckDBPyConnection) -> None:
        """Into `linked`: item_id, uri."""
        linked = "SELECT item_id, item_id AS uri FROM items"
        if self.links is not None:
            table = Tables(folder=self.links.parent, files={"items": self.links})
            linked += f" UNION {table.links(db)}"
        db.execute(f"CREATE OR REPLACE TEMP TABLE linked AS {linked}")

    def _choose_texts(self, db: duckdb.DuckDBPyConnection) -> None:
        """Labels into `labels` (o, name). Of the texts of one subject and relation, those in a
        lesser language than the best are not taken; numbers, dates and texts without one are.
        """
        wanted = literal(self.language.lower())
        rank = f"""CASE WHEN language = {wanted} THEN '0'
            WHEN starts_with(language, {wanted} || '-') THEN '1'
            WHEN language = '' THEN '3'
            WHEN starts_with({wanted}, language || '-') THEN '2'
            ELSE '4' END || language"""
        db.execute(f"""
            CREATE OR REPLACE TEMP TABLE labels AS
            SELECT s AS o, first(text ORDER BY {rank}, n) AS name
            FROM triples WHERE p = {literal(LABEL)} AND text <> '' GROUP BY s""")
        texts = f"FROM triples WHERE p <> {literal(LABEL)} AND text IS NOT NULL AND datatype = ''"
        db.execute(f"""
            UPDATE triples SET taken = false
            FROM (SELECT s, p, min({rank}) AS best {texts} GROUP BY ALL) chosen
            WHERE triples.s = chosen.s AND triples.p = chosen.p
                AND language <> '' AND {rank} > best""")
        (left,) = one_row(db, "SELECT count(*) FROM triples JOIN linked ON s = uri WHERE NOT taken")
        _say(db, "languages", left, f"texts are there in a better one ({self.language}): left out")

    def _refuse_strangers(self, found: bool) -> None:
        if not found:
            raise ImportRefused(
                f"{self.path}: no edge of an item of the store: "
                "nodes must carry item ids or titles (N-Triples: item URIs, or --links)"
            )


class _Items:
    """`of`: node → the item it is; `unsure`: nodes that bear the title of several items."""

    def __init__(self, titles: Mapping[str, str], graph: Graph) -> None:
        self.of: dict[str, str] = {}
        self.unsure: list[str] = []
        bearers = defaultdict(list)
        for item, title in titles.items():
            bearers[clean_text(title)].append(item)
        meant = {node: _bearers(facts, bearers) for node, facts in graph.nodes.items()}
        plain = {node: node.removeprefix("item:") for node in graph.nodes}
        # A node with the title of another item than its id says: ids are the file's own numbers.
        numbered = any(named and plain[node] not in named for node, named in meant.items())
        for node, named in meant.items():
            item, marked = plain[node], node.startswith("item:")
            if node.startswith("attribute:"):
                continue
            if item in titles and (marked or not numbered or item in named):
                self.of[node] = item
            elif len(named) == 1:
                (self.of[node],) = named
            elif named:
                self.unsure.append(node)
        self._keep_the_usual_kind(graph)

    def _keep_the_usual_kind(self, graph: Graph) -> None:
        """Where nodes of several kinds are one item (a film, and a person of that name), the one
        of the kind of most items is it.
        """
        kind = {node: _kind(graph.nodes[node]) for node in self.of}
        counts = Counter(kind.values())
        nodes = defaultdict(list)
        for node, item in self.of.items():
            nodes[item].append(node)
        for same in nodes.values():
            usual = max((kind[node] for node in same), key=lambda found: (counts[found], found))
            for node in same:
                if kind[node] != usual:
                    del self.of[node]


def _bearers(facts: Facts, bearers: Mapping[str, list[str]]) -> set[str]:
    """The items whose title a node bears."""
    names = (clean_text(facts[key]) for key in NAME if facts.get(key))
    return {item for name in names if name in bearers for item in bearers[name]}


def _first(facts: Facts, keys: tuple[str, ...]) -> str:
    """The first of the keys that is filled; a label like ":Movie" is a kind."""
    return next(
        (facts[key] for key in keys if facts.get(key, "").strip(": ") and facts[key][0] != ":"), ""
    )


def _kind(facts: Facts) -> str:
    """ "movie" of Neo4j's labels ":Movie:Classic", "" where there are none."""
    return facts.get("labels", "").strip(": ").split(":")[0].lower()


def _say(
    db: duckdb.DuckDBPyConnection, topic: str, count: int, words: str, cases: Iterable[str] = ()
) -> None:
    """Tell the user of `count` cases, if any, and the first of them."""
    if count:
        first = next(iter(cases), None)
        note_understood(db, topic, f"{count} {words}" + (f" (first: {first})" if first else ""))


def _last_part(column: str) -> str:
    """SQL: the part of an IRI after the last / or #, or the whole IRI."""
    trimmed = f"rtrim({column}, '/#')"
    return f"coalesce(nullif(regexp_extract({trimmed}, '[^/#]+$'), ''), {column})"


def normal_iri(text: str) -> str:
    """One spelling of an IRI: escapes and percent-encoded letters as the characters they are, NFC.

    Reserved ("%2F"), invisible and undecodable characters stay encoded, in capitals.
    """
    plain = _PERCENT.sub(_decoded, _ESCAPE.sub(_unescaped, text))
    return unicodedata.normalize("NFC", plain)


def _decoded(found: re.Match[str]) -> str:
    characters = bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "surrogateescape")
    return "".join(
        c if c in _UNRESERVED or (not c.isascii() and c.isprintable()) else _encoded(c)
        for c in characters
    )


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def _normalise(db: duckdb.DuckDBPyConnection) -> None:
    """One spelling per IRI in `triples` and `linked`; `iris` holds how odd ones are shown."""
    columns = (("triples", "s"), ("triples", "p"), ("triples", "o"), ("linked", "uri"))
    union = " UNION ".join(f"SELECT {column} AS raw FROM {table}" for table, column in columns)
    odd = db.execute(
        f"SELECT raw FROM ({union}) WHERE regexp_matches(raw, '[%\\\\]|[^\\x00-\\x7f]')"
    )
    rows = [(raw, iri := normal_iri(raw), _shown(iri)) for (raw,) in odd.fetchall()]
    db.execute("CREATE OR REPLACE TEMP TABLE iris (raw VARCHAR, iri VARCHAR, shown VARCHAR)")
    append(db, "iris", ("raw", "iri", "shown"), rows)
    for table, column in columns if rows else ():
        db.execute(
            f"UPDATE {table} SET {column} = iri FROM iris WHERE {column} = raw AND iri <> raw"
        )


def _shown(iri: str) -> str:
    """The last part of an IRI as words to read."""
    return unquote(re.split("[/#]", iri.rstrip("/#"))[-1]) or iri


def _unescaped(found: re.Match[str]) -> str:
    letter, short, long = found.groups()
    code = int(short or long or "0", 16)
    if letter:
        return _PLAIN.get(letter, letter)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
