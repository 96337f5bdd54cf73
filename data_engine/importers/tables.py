"""Generic tables: ratings + items + triples (and users), as CSV, TSV or Parquet, gzip or not.

The files of a folder are found by name and their columns by the names in use; both can be given
instead. `../shared/data/movies` style folders (MovieLens ratings joined with DBpedia triples) load
as they are. `encoding`: that of text files that are not UTF-8.
"""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import duckdb

from data_engine.errors import ImportRefused
from data_engine.importers.delimited import (
    ENDINGS,
    columns_of,
    rows_with_header,
    separator_of,
    types_of,
)
from data_engine.runtime.config import Config
from data_engine.store.filling import put_edges, put_interactions, put_items, put_users
from data_engine.store.notes import note_understood
from data_engine.store.plain_text import encoding_of
from data_engine.store.sql import identifier

FILES = {
    "ratings": ("ratings", "interactions", "pairs"),
    "items": ("movies", "items", "books"),
    "triples": ("kg", "triples", "edges"),
    "users": ("users",),
}
COLUMNS = {
    "user": ("userId", "user_id", "user"),
    "item": ("movieId", "item_id", "itemId", "movie", "item", "book"),
    "rating": ("rating", "score"),
    "time": ("timestamp", "time"),
    "liked": ("liked",),
    "title": ("title", "name"),
    "relation": ("relation", "predicate"),
    "value": ("value", "object"),
    "uri": ("dbpedia_uri", "uri", "value_id"),
    "age": ("age",),
    "gender": ("gender", "sex"),
    "occupation": ("occupation", "job"),
}


class Tables(Config):
    """Where the tables are. A file or column not given is looked for by the names in use."""

    folder: Path
    domain: str = "movies"
    files: dict[str, Path] = {}
    columns: dict[str, str] = {}

    encoding: str = ""

    @property
    def name(self) -> str:
        """The folder's name, for messages and the card."""
        return self.folder.name

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables. An attribute's identity is its URI, else its relation and name: one name
        under two URIs stays two attributes.

        Raises ImportRefused with file (and line) for a missing file, a wrong column, more
        unreadable rows than allowed.
        """
        if not self.folder.is_dir():
            raise ImportRefused(
                f"{self.folder} is no folder: give one that holds {', '.join(FILES)} as .csv, "
                ".tsv or .parquet (gz or not)"
            )
        for given, known, what in ((self.files, FILES, "file"), (self.columns, COLUMNS, "column")):
            if unknown := sorted(set(given) - set(known)):
                raise ImportRefused(
                    f"no {what} is called {unknown[0]!r}: the names are {', '.join(known)}"
                )
        self._look_at_files(db)
        put_items(db, self._select(db, "items", {"item": "item_id", "title": "title"}))
        self.fill_interactions(db)
        put_edges(db, self.edges(db))
        if self._path("users", needed=False):
            people = {name: name for name in ("age", "gender", "occupation")}
            put_users(
                db, self._select(db, "users", {"user": "user_id"} | people, optional=tuple(people))
            )

    def _look_at_files(self, db: duckdb.DuckDBPyConnection) -> None:
        """Check the columns the user named, and tell how the files are read."""
        paths = [path for part in FILES if (path := self._path(part, needed=part != "users"))]
        headers = {*chain(*(columns_of(path, db, self.encoding) for path in paths))}
        for word, name in self.columns.items():
            if name not in headers:
                raise ImportRefused(
                    f"{self.folder}: no file has the {word} column {name!r}; found "
                    f"{', '.join(sorted(headers))}"
                )
        texts = [path for path in paths if path.suffix != ".parquet"]
        if texts:
            encodings = sorted({encoding_of(path, self.encoding) for path in texts})
            note_understood(db, "encoding", ", ".join(encodings))
            separators = {path.name: separator_of(path, self.encoding) for path in texts}
            odd = [
                f"{name} by {mark}"
                for name, mark in separators.items()
                if mark not in ("commas", "tabs")
            ]
            if odd:
                note_understood(db, "columns separated", ", ".join(odd))

    def fill_interactions(self, db: duckdb.DuckDBPyConnection) -> None:
        """Only the ratings, for a catalogue whose other parts come from elsewhere."""
        words = {
            "user": "user_id",
            "item": "item_id",
            "rating": "rating",
            "time": "seconds",
            "liked": "liked",
        }
        put_interactions(
            db, self._select(db, "ratings", words, optional=("rating", "time", "liked"))
        )

    def edges(self, db: duckdb.DuckDBPyConnection) -> str:
        """SELECT the triples as `put_edges` wants them; a list in the value column of a Parquet
        file is several values.
        """
        rows = self._select(
            db,
            "triples",
            {"item": "item_id", "relation": "relation", "value": "name", "uri": "uri"},
            optional=("uri",),
        )
        named = (
            "coalesce(uri, relation || ':' || name) AS attribute_id, coalesce(name, uri) AS name"
        )
        return f"SELECT item_id, relation, {named}, row_number() OVER () AS place FROM ({rows})"

    def links(self, db: duckdb.DuckDBPyConnection) -> str:
        """SELECT item_id, uri of the items file."""
        return self._select(db, "items", {"item": "item_id", "uri": "uri"})

    def _path(self, part: str, *, needed: bool = True) -> Path | None:
        if part in self.files:
            if not self.files[part].is_file():
                raise ImportRefused(f"no file at {self.files[part]}")
            return self.files[part]
        found = [
            self.folder / (stem + ending)
            for stem in FILES[part]
            for ending in ENDINGS
            if (self.folder / (stem + ending)).is_file()
        ]
        if not found and needed:
            names = ", ".join(FILES[part])
            raise ImportRefused(
                f"{self.folder}: no {part} file: expected {names} as .csv, .tsv or .parquet (gz "
                f"or not), or --file {part}=PATH"
            )
        return found[0] if found else None

    def _select(
        self,
        db: duckdb.DuckDBPyConnection,
        part: str,
        wanted: Mapping[str, str],
        optional: tuple[str, ...] = (),
    ) -> str:
        """SELECT the wanted columns (our word → alias) of a part, typed; NULL where an optional one
        is not there.
        """
        path = self._path(part)
        assert path is not None  # a part that is needed: refused where it is missing
        header, kinds = columns_of(path, db, self.encoding), types_of(path, db)
        place: dict[str, str | None] = {}
        for word in wanted:
            names = (*([self.columns[word]] if word in self.columns else []), *COLUMNS[word])
            place[word] = next((name for name in names if name in header), None)
            if place[word] is None and word not in optional:
                raise ImportRefused(
                    f"{path}: no {word} column: expected one of {', '.join(names)}, or --column "
                    f"{word}=NAME; "
                    f"found {', '.join(header) or 'an empty file'}"
                )
            _refuse_nested(path, word, place[word], kinds.get(place[word] or "", ""))
        types = {name: kind for word, kind in READ_AS.items() if (name := place.get(word))}
        picked = ", ".join(
            f"{_typed(word, name, kinds.get(name or '', 'VARCHAR'))} AS {wanted[word]}"
            for word, name in place.items()
        )
        return f"SELECT {picked} FROM {rows_with_header(path, header, types, self.encoding)}"


READ_AS = {
    "rating": "DOUBLE",
    "liked": "BOOLEAN",
}  # from text, by the reader, which then names file and line of what is none
LISTS = ("value", "uri")  # the columns in which a list is several values


def _refuse_nested(path: Path, word: str, name: str | None, kind: str) -> None:
    """A struct, a map or a list of them is no value; a list is several where that means
    something.
    """
    nested = kind.startswith(("STRUCT", "MAP", "UNION")) or kind.endswith("][]")
    nested |= kind.endswith("[]") and (word not in LISTS or kind.startswith(("STRUCT", "MAP")))
    if nested:
        raise ImportRefused(
            f"{path}: the column {name!r} is {kind[:60]}: a {word} must be text or a number; "
            "flatten it first"
        )


def _typed(word: str, name: str | None, kind: str) -> str:
    """A column as the fillers want it; what is there but unreadable as a number or time becomes
    nan, which counts as unreadable.
    """
    value = "NULL" if name is None else identifier(name)
    if word == "liked":
        return f"CAST({value} AS BOOLEAN)"
    if word == "rating" or (word == "time" and name is None):
        return (
            f"CASE WHEN {value} IS NOT NULL THEN coalesce(TRY_CAST({value} AS DOUBLE), 'nan') END"
        )
    if word == "time":
        return _seconds(value, kind)
    texts = f"unnest({value})" if kind.endswith("[]") else value
    return f"nullif(trim(CAST({texts} AS VARCHAR)), '')"


def _seconds(value: str, kind: str) -> str:
    """Seconds since 1970 (UTC) of a date or timestamp, in ISO 8601 too; a number stays itself, for
    `settle` to find its unit.
    """
    if kind.startswith(("DATE", "TIMESTAMP")):
        return (
            f"epoch(CAST({value} AS "
            f"{'TIMESTAMPTZ' if 'TZ' in kind or 'ZONE' in kind else 'TIMESTAMP'}))"
        )
    text = f"nullif(trim(CAST({value} AS VARCHAR)), '')"
    # 20010531: no second
    day = (
        f"CASE WHEN regexp_full_match({text}, '(19|20)[0-9]{{6}}') THEN "
        f"epoch(try_strptime({text}, '%Y%m%d')) END"
    )
    read = (
        f"coalesce({day}, TRY_CAST({text} AS DOUBLE), epoch(TRY_CAST({text} AS "
        "TIMESTAMPTZ)), 'nan')"
    )
    return f"CASE WHEN {text} IS NOT NULL THEN {read} END"
