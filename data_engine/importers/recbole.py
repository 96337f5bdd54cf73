"""RecBole atomic files: NAME.inter, NAME.item, and where there NAME.user, NAME.kg and NAME.link, tab-separated with typed headers.

Every token and token-sequence column of `.item` but the title becomes a relation; `.kg` triples of linked entities become edges too,
when the linked entity is the head.
"""

from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict

from data_engine.errors import ImportRefused
from data_engine.filling import identifier, literal, put_edges, put_interactions, put_items, put_users
from data_engine.importers.delimited import first_line, rows_without_header

TITLES = ("movie_title", "title", "name", "item_name", "book_title", "artist_name")
TYPES = {"token": "VARCHAR", "token_seq": "VARCHAR", "float": "DOUBLE", "float_seq": "VARCHAR"}


class RecBole(BaseModel):
    """A folder with one data set's atomic files. Without an `.item` file (or a title in it) an item's title is its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: Path
    domain: str = "items"

    @property
    def name(self) -> str:
        """The data set's name: the stem of its .inter file. Raises ImportRefused when there is not exactly one."""
        found = sorted(self.folder.glob("*.inter"))
        if len(found) != 1:
            raise ImportRefused(f"{self.folder}: expected one .inter file, found {len(found)}")
        return found[0].stem

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables. Raises ImportRefused with the file for a header without name:type columns, or a column that is missing."""
        inter, columns = self._rows("inter")
        self._need("inter", columns, "user_id", "item_id")
        rating = identifier("rating") if "rating" in columns else "NULL"
        seconds = identifier("timestamp") if "timestamp" in columns else "NULL"
        put_interactions(
            db,
            f"SELECT user_id, item_id, CAST({rating} AS DOUBLE) AS rating, CAST({seconds} AS DOUBLE) AS seconds, NULL::BOOLEAN AS liked FROM {inter}",
        )
        edges = self._items(db)
        if (self.folder / f"{self.name}.kg").is_file() and (self.folder / f"{self.name}.link").is_file():
            kg, heads = self._rows("kg")
            self._need("kg", heads, "head_id", "relation_id", "tail_id")
            link, linked = self._rows("link")
            self._need("link", linked, "item_id", "entity_id")
            edges.append(
                "SELECT item_id, relation_id AS relation, tail_id AS attribute_id, tail_id AS name, row_number() OVER () AS place "
                f"FROM {kg} JOIN {link} ON head_id = entity_id"
            )
        if not edges:
            raise ImportRefused(f"{self.folder}: the attribute graph is empty: an .item file with attributes or .kg and .link files are needed")
        put_edges(db, " UNION ALL BY NAME ".join(edges))
        if (self.folder / f"{self.name}.user").is_file():
            users, columns = self._rows("user")
            self._need("user", columns, "user_id")
            known = ", ".join(identifier(c) if c in columns else f"NULL AS {c}" for c in ("age", "gender", "occupation"))
            put_users(db, f"SELECT user_id, {known} FROM {users}")

    def _items(self, db: duckdb.DuckDBPyConnection) -> list[str]:
        """Put the items; the edge SELECTs of their attribute columns."""
        if not (self.folder / f"{self.name}.item").is_file():
            put_items(db, "SELECT DISTINCT item_id, item_id AS title FROM interactions")
            return []
        rows, columns = self._rows("item")
        self._need("item", columns, "item_id")
        title = next((name for name in TITLES if name in columns), "item_id")
        db.execute(f"CREATE OR REPLACE TEMP TABLE atomic_items AS SELECT * FROM {rows}")
        put_items(db, f"SELECT item_id, coalesce({identifier(title)}, item_id) AS title FROM atomic_items")
        edges = []
        for name, kind in columns.items():
            if name not in ("item_id", title) and kind.startswith("token"):
                values = f"unnest(str_split({identifier(name)}, ' '))" if kind == "token_seq" else f"CAST({identifier(name)} AS VARCHAR)"
                picked = f"SELECT item_id, {values} AS name FROM atomic_items"
                relation = literal(name)
                edges.append(
                    f"SELECT item_id, {relation} AS relation, {relation} || ':' || name AS attribute_id, name, row_number() OVER () AS place "
                    f"FROM ({picked}) WHERE name <> ''"
                )
        return edges

    def _rows(self, part: str) -> tuple[str, dict[str, str]]:
        """(FROM clause, column → RecBole type) of NAME.part."""
        path = self.folder / f"{self.name}.{part}"
        columns = dict(field.rsplit(":", 1) for field in first_line(path).split("\t") if ":" in field)
        if not columns or not set(columns.values()) <= set(TYPES):
            raise ImportRefused(f"{path}: the first line must name columns as name:type (types {', '.join(TYPES)})")
        return rows_without_header(path, {name: TYPES[kind] for name, kind in columns.items()}, "\t", skip=1), columns

    def _need(self, part: str, columns: dict[str, str], *names: str) -> None:
        for name in names:
            if name not in columns:
                raise ImportRefused(f"{self.folder / f'{self.name}.{part}'}: no {name} column; found {', '.join(columns)}")
