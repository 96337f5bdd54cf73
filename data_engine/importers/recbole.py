"""RecBole atomic files: NAME.inter, NAME.item, and where there NAME.user, NAME.kg and NAME.link,
tab-separated with typed headers.

Every token and token-sequence column of `.item` but the title becomes a relation; `.kg` triples of
linked entities become edges too, when the linked entity is the head (as a tail, an item is only the
value of another item's edge).
"""

import ast
import re
from pathlib import Path

import duckdb

from data_engine.errors import ImportRefused
from data_engine.importers.delimited import first_line, rows_without_header
from data_engine.names.cleaning import relation_names
from data_engine.runtime.config import Config
from data_engine.store.filling import put_edges, put_interactions, put_items, put_users
from data_engine.store.notes import note_reject, note_understood
from data_engine.store.plain_text import encoding_of
from data_engine.store.sql import append, identifier, literal, one_row

TITLES = ("movie_title", "title", "name", "item_name", "book_title", "artist_name")
TYPES = {"token": "VARCHAR", "token_seq": "VARCHAR", "float": "DOUBLE", "float_seq": "VARCHAR"}
NO_VALUE = "('', 'nan', 'NaN', 'None')"  # as pandas and Python print what is not there
BARE_ID = r"\S*[0-9.:/]\S*"  # m.0g1, Q42, http://…
LIKE_A_LIST = r"^(set)?[\[{(]|^u?['\"]"
SHOWN = 5
_QUOTED = re.compile(r"u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_LIST = re.compile(
    rf"(?:[\s,\[\]{{}}()]|\b(?:None|nan)\b|{_QUOTED.pattern})*+", re.DOTALL
)  # linear: never tried twice
_OPENED = re.compile(r"[\[{(][\[{(\s]*u?['\"]")
_SEVERAL = re.compile(r"['\"]\s*,\s*u?['\"]")


class RecBole(Config):
    """A folder with one data set's atomic files. Without an `.item` file (or a title in it) an
    item's title is its id.
    """

    folder: Path
    domain: str = "items"

    @property
    def name(self) -> str:
        """The data set's name: the stem of its .inter file. Raises ImportRefused when there is not
        exactly one.
        """
        found = sorted(self.folder.glob("*.inter"))
        if len(found) != 1:
            raise ImportRefused(f"{self.folder}: expected one .inter file, found {len(found)}")
        return found[0].stem

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables. Raises ImportRefused with the file for a header without name:type
        columns or with a column missing.
        """
        note_understood(db, "encoding", encoding_of(self.folder / f"{self.name}.inter"))
        self._interactions(db)
        columns = self._items(db)
        edges = [self._column_edges(db, name, kind) for name, kind in columns.items()]
        if all((self.folder / f"{self.name}.{part}").is_file() for part in ("kg", "link")):
            edges.append(self._knowledge(db, list(columns)))
        if not edges:
            raise ImportRefused(
                f"{self.folder}: the attribute graph is empty: "
                "an .item file with attributes or .kg and .link files are needed"
            )
        put_edges(db, " UNION ALL BY NAME ".join(edges))
        if (self.folder / f"{self.name}.user").is_file():
            users, columns = self._rows("user")
            self._need("user", columns, "user_id")
            known = ", ".join(
                f"{_valued(c)} AS {c}" if c in columns else f"NULL AS {c}"
                for c in ("age", "gender", "occupation")
            )
            put_users(db, f"SELECT user_id, {known} FROM {users}")

    def _interactions(self, db: duckdb.DuckDBPyConnection) -> None:
        """`label`, where there, is liked (1) or not (0)."""
        rows, columns = self._rows("inter")
        self._need("inter", columns, "user_id", "item_id")
        liked = "NULL::BOOLEAN"
        if "label" in columns:
            db.execute(
                "CREATE OR REPLACE TEMP TABLE labelled AS "
                f"SELECT *, TRY_CAST(label AS DOUBLE) AS liking FROM {rows}"
            )
            (odd,) = one_row(
                db, "SELECT count(*) FROM labelled WHERE coalesce(liking NOT IN (0, 1), true)"
            )
            if odd:
                note_reject(db, "interactions with a label that is neither 1 nor 0", odd)
            note_understood(db, "likes", f"label in {self.name}.inter: 1 is liked, 0 is not")
            rows, liked = "labelled WHERE liking IN (0, 1)", "liking = 1"
        rating = "CAST(rating AS DOUBLE)" if "rating" in columns else "NULL::DOUBLE"
        seconds = "CAST(timestamp AS DOUBLE)" if "timestamp" in columns else "NULL::DOUBLE"
        put_interactions(
            db,
            f"SELECT user_id, item_id, {rating} AS rating, {seconds} AS seconds, "
            f"{liked} AS liked FROM {rows}",
        )

    def _items(self, db: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """Put the items; attribute column → RecBole type."""
        if not (self.folder / f"{self.name}.item").is_file():
            put_items(db, "SELECT DISTINCT item_id, item_id AS title FROM interactions")
            return {}
        rows, columns = self._rows("item")
        self._need("item", columns, "item_id")
        title = next((name for name in TITLES if name in columns), "item_id")
        db.execute(f"CREATE OR REPLACE TEMP TABLE atomic_items AS SELECT * FROM {rows}")
        put_items(
            db, f"SELECT item_id, coalesce({_valued(title)}, item_id) AS title FROM atomic_items"
        )
        nameless, first = one_row(
            db, f"SELECT count(*), min(item_id) FROM atomic_items WHERE {_valued(title)} IS NULL"
        )
        if nameless:
            words = f"{nameless} items have none: their ids stand for them (first: {first})"
            note_understood(db, "titles", words)
        return {
            name: kind
            for name, kind in columns.items()
            if name not in ("item_id", title) and kind.startswith("token")
        }

    def _column_edges(self, db: duckdb.DuckDBPyConnection, name: str, kind: str) -> str:
        """SELECT the edges of an attribute column, whose printed lists are read into `printed`."""
        relation, raw = literal(name), f"trim(CAST({identifier(name)} AS VARCHAR))"
        _read_printed(db, name, raw)
        plain = "str_split(raw, ' ')" if kind == "token_seq" else "[raw]"
        return f"""
            SELECT item_id, {relation} AS relation, {relation} || ':' || value AS attribute_id,
                value AS name, place
            FROM (SELECT item_id, unnest(parts) AS value, generate_subscripts(parts, 1) AS place
                FROM (SELECT item_id, coalesce(parts, {plain}) AS parts
                    FROM (SELECT item_id, {raw} AS raw FROM atomic_items)
                    LEFT JOIN (FROM printed WHERE name = {relation}) USING (raw)))
            WHERE value NOT IN {NO_VALUE}"""

    def _knowledge(self, db: duckdb.DuckDBPyConnection, taken: list[str]) -> str:
        """SELECT the edges of .kg and .link, read into `facts`; other relations are `taken`.

        A tail has no name but its id, unless it is an item.
        """
        kg, heads = self._rows("kg")
        self._need("kg", heads, "head_id", "relation_id", "tail_id")
        link, linked = self._rows("link")
        self._need("link", linked, "item_id", "entity_id")
        db.execute("CREATE OR REPLACE TEMP TABLE linked AS SELECT item_id, entity_id FROM " + link)
        db.execute(f"""
            CREATE OR REPLACE TEMP TABLE facts AS
            WITH titles AS (SELECT entity_id AS tail_id, min(title) AS name
                FROM linked JOIN items USING (item_id) GROUP BY 1)
            SELECT item_id, relation_id, tail_id, name, place
            FROM (SELECT *, row_number() OVER () AS place FROM {kg})
            JOIN linked ON head_id = entity_id LEFT JOIN titles USING (tail_id)
            WHERE coalesce(relation_id NOT IN {NO_VALUE} AND tail_id NOT IN {NO_VALUE}, true)""")
        self._name_relations(db, taken)
        nameless, first = one_row(
            db,
            f"""
            SELECT count(DISTINCT tail_id), min(tail_id) FROM facts
            WHERE name IS NULL AND regexp_full_match(tail_id, {literal(BARE_ID)})""",
        )
        if nameless:
            words = f"{nameless} entities of {self.name}.kg have none: their ids stand for them"
            note_understood(db, "names", f"{words} (first: {first})")
        return """
            SELECT item_id, relation, tail_id AS attribute_id, coalesce(name, tail_id) AS name,
                place
            FROM facts LEFT JOIN relation_names USING (relation_id)"""

    def _name_relations(self, db: duckdb.DuckDBPyConnection, taken: list[str]) -> None:
        """Relation of `facts` → its name, into `relation_names`; says what was shortened."""
        found = db.execute("SELECT DISTINCT relation_id FROM facts ORDER BY 1").fetchall()
        raws = [raw for (raw,) in found if raw is not None]
        names = relation_names([*raws, *taken])
        columns = ("relation_id", "relation")
        db.execute("CREATE OR REPLACE TEMP TABLE relation_names (relation_id TEXT, relation TEXT)")
        append(db, "relation_names", columns, [(raw, names[raw]) for raw in raws])
        if read := [f"{raw} read as {names[raw]}" for raw in raws if names[raw] != raw]:
            more = " …" if len(read) > SHOWN else ""
            note_understood(db, "relations", ", ".join(read[:SHOWN]) + more)

    def _rows(self, part: str) -> tuple[str, dict[str, str]]:
        """(FROM clause, column → RecBole type) of NAME.part."""
        path = self.folder / f"{self.name}.{part}"
        columns = dict(
            field.rsplit(":", 1) for field in first_line(path).split("\t") if ":" in field
        )
        if not columns or not set(columns.values()) <= set(TYPES):
            raise ImportRefused(
                f"{path}: the first line must name columns as name:type (types {', '.join(TYPES)})"
            )
        return rows_without_header(
            path, {name: TYPES[kind] for name, kind in columns.items()}, "\t", skip=1
        ), columns

    def _need(self, part: str, columns: dict[str, str], *names: str) -> None:
        for name in names:
            if name not in columns:
                raise ImportRefused(
                    f"{self.folder / f'{self.name}.{part}'}: no {name} column; "
                    f"found {', '.join(columns)}"
                )


def _read_printed(db: duckdb.DuckDBPyConnection, name: str, raw: str) -> None:
    """Read the printed lists of the attribute column `name`, in SQL `raw`, into `printed`.

    A list that is broken off is a reject.
    """
    found = db.execute(f"""
        SELECT {raw} AS raw, count(*) FROM atomic_items
        WHERE regexp_matches(raw, {literal(LIKE_A_LIST)}) GROUP BY 1 ORDER BY 1""").fetchall()
    rows, broken = [], 0
    for text, count in found:
        try:
            parts = listed(text)
        except ValueError:
            parts, broken = [], broken + count
        if parts is not None:
            rows.append((name, text, parts))
    if broken:
        note_reject(db, f"lists in {name} that cannot be read", broken)
    db.execute("CREATE TEMP TABLE IF NOT EXISTS printed (name TEXT, raw TEXT, parts TEXT[])")
    db.execute("DELETE FROM printed WHERE name = ?", [name])
    append(db, "printed", ("name", "raw", "parts"), rows)


def listed(text: str) -> list[str] | None:
    """The values of a list or set as Python or JSON print it, with its brackets or without; None
    where `text` is no list.

    Nothing is evaluated but one quoted text at a time. Raises ValueError for a list that is cut off
    or holds more than texts.
    """
    text = text.strip().removeprefix("set")
    if "'" in text or '"' in text:
        if _LIST.fullmatch(text):
            return [_unquoted(found[0].removeprefix("u")) for found in _QUOTED.finditer(text)]
        if _OPENED.match(text) or _SEVERAL.search(text):
            raise ValueError("a list that is cut off or holds more than texts")
        return None
    if text == "()":
        return []
    whole = text[:1] in ("[", "{") and text[-1:] in ("]", "}")
    return (
        [part.strip() for part in text.strip("[]{}").split(",") if part.strip()] if whole else None
    )


def _unquoted(piece: str) -> str:
    if "\\" not in piece:
        return piece[1:-1]
    try:
        return str(ast.literal_eval(piece))
    except (ValueError, SyntaxError):  # an escape that Python does not know
        return piece[1:-1]


def _valued(name: str) -> str:
    """SQL of a column as text, NULL where it holds no value."""
    text = f"trim(CAST({identifier(name)} AS VARCHAR))"
    return f"CASE WHEN {text} NOT IN {NO_VALUE} THEN {text} END"
