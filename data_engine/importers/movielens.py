"""MovieLens as GroupLens ships it: 100K (`u.data`), 1M (`.dat`, latin-1), 10M (`.dat`, UTF-8),
latest, 20M, 25M and 32M (`.csv`).

Genres become edges, tags too (lower-cased); years become edges from the titles; users keep age,
gender and occupation in words. Attributes from elsewhere (DBpedia triples, say) come by `triples`,
and ratings where `ratings.dat` is missing by `ratings`.
"""

from pathlib import Path

import duckdb

from data_engine.errors import ImportRefused
from data_engine.importers.delimited import columns_of, rows_with_header, rows_without_header
from data_engine.importers.tables import Tables
from data_engine.runtime.config import Config
from data_engine.store.filling import put_edges, put_interactions, put_items, put_links, put_users
from data_engine.store.notes import note_understood
from data_engine.store.plain_text import encoding_of
from data_engine.store.sql import identifier, literal

GENRES_100K = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
    "Film-Noir Horror Musical Mystery Romance Sci-Fi "
    "Thriller War Western"
).split()
AGES_1M = {
    "1": "under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56+",
}
OCCUPATIONS_1M = (
    "other|academic/educator|artist|clerical/admin|college/grad student|customer "
    "service|doctor/health care|executive/managerial|farmer|"
    "homemaker|K-12 "
    "student|lawyer|programmer|retired|sales/marketing|scientist|self-employed|"
    "technician/engineer|tradesman/craftsman|"
    "unemployed|writer"
).split("|")
NO_GENRES = "(no genres listed)"


class MovieLens(Config):
    """A folder in any of the layouts; `triples` and `ratings` name extra files with headers (see
    `tables`).
    """

    folder: Path
    triples: Path | None = None
    ratings: Path | None = None
    domain: str = "movies"

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables. Raises ImportRefused when the folder is in none of the layouts."""
        found = next(
            (
                layout(self.folder, db)
                for layout in _LAYOUTS
                if (self.folder / layout.mark).is_file()
            ),
            None,
        )
        if found is None:
            raise ImportRefused(
                f"{self.folder} holds no MovieLens data: expected u.item (100K), movies.dat "
                "(1M, 10M) or movies.csv (latest, 20M …)"
            )
        note_understood(db, "encoding", encoding_of(self.folder / found.mark, "latin-1"))
        db.execute(
            "CREATE OR REPLACE TEMP TABLE films AS SELECT item_id, title, genres FROM "
            f"({found.films()})"
        )
        put_items(db, "SELECT item_id, title FROM films")
        if self.ratings is None:
            put_interactions(db, found.ratings())
        else:
            Tables(folder=self.folder, files={"ratings": self.ratings}).fill_interactions(db)
        put_edges(db, " UNION ALL BY NAME ".join(self._edges(db, found)))
        if users := found.users():
            put_users(db, users)
        if links := found.links():
            put_links(db, links)

    def _edges(self, db: duckdb.DuckDBPyConnection, found: "_Layout100K") -> list[str]:
        """Edge SELECTs: genres, years, tags, then the extra triples; `place` keeps that order."""
        listed = (
            "SELECT item_id, trim(unnest(str_split(genres, '|'))) AS name FROM films "
            f"WHERE genres <> {literal(NO_GENRES)}"
        )
        split = f"SELECT item_id, name FROM ({listed}) WHERE name <> ''"
        edges = [
            "SELECT item_id, 'genre' AS relation, 'genre:' || name AS attribute_id, name, "
            f"row_number() OVER () AS place FROM ({split})",
            "SELECT item_id, 'year' AS relation, 'year:' || name AS attribute_id, name, 0 AS place "
            "FROM (SELECT item_id, regexp_extract(title, '\\((\\d{4})\\)\\s*$', 1) AS name "
            "FROM films) WHERE name <> ''",
        ]
        if tags := found.tags():
            named = f"SELECT item_id, lower(trim(tag)) AS name FROM ({tags})"
            edges.append(
                "SELECT item_id, 'tag' AS relation, 'tag:' || name AS attribute_id, name, 0 AS "
                f"place FROM ({named}) WHERE name <> ''"
            )
        if self.triples is not None:
            edges.append(Tables(folder=self.folder, files={"triples": self.triples}).edges(db))
        return edges


class _Layout100K:
    """Pipes and tabs; also the interface of the other layouts: SELECTs over the folder's files,
    None where there is no such file. `mark` is the file that tells the layout.
    """

    mark = "u.item"

    def __init__(self, folder: Path, db: duckdb.DuckDBPyConnection) -> None:
        self.folder, self.db = folder, db

    def films(self) -> str:
        """item_id, title, genres (joined by |)."""
        names = {
            name: "VARCHAR" for name in ("id", "title", "released", "video", "url", *GENRES_100K)
        }
        rows = rows_without_header(self.folder / "u.item", names, "|", fallback="latin-1")
        flags = ", ".join(
            f"CASE WHEN {identifier(g)} = '1' THEN {literal(g)} END" for g in GENRES_100K[1:]
        )
        return (
            f"SELECT id AS item_id, trim(title) AS title, concat_ws('|', {flags}) AS genres "
            f"FROM {rows}"
        )

    def ratings(self) -> str:
        """user_id, item_id, rating, seconds, liked."""
        return _ratings(rows_without_header(self._file("u.data"), RATING_COLUMNS, "\t"))

    def users(self) -> str | None:
        """user_id, age, gender, occupation."""
        if not (self.folder / "u.user").is_file():
            return None
        names = {name: "VARCHAR" for name in ("user_id", "age", "gender", "occupation", "zip")}
        return (
            "SELECT user_id, age, gender, occupation FROM "
            f"{rows_without_header(self.folder / 'u.user', names, '|', fallback='latin-1')}"
        )

    def tags(self) -> str | None:
        """item_id, tag."""
        return None

    def links(self) -> str | None:
        """item_id, source, value."""
        return None

    def _file(self, name: str) -> Path:
        if not (self.folder / name).is_file():
            raise ImportRefused(
                f"{self.folder}: {name} is missing: copy it there, or give the ratings as "
                "--ratings FILE"
            )
        return self.folder / name


class _LayoutDat(_Layout100K):
    """Double colons."""

    mark = "movies.dat"

    def films(self) -> str:
        names = {name: "VARCHAR" for name in ("item_id", "title", "genres")}
        return (
            "SELECT item_id, trim(title) AS title, genres FROM "
            f"{rows_without_header(self.folder / 'movies.dat', names, '::', fallback='latin-1')}"
        )

    def ratings(self) -> str:
        return _ratings(rows_without_header(self._file("ratings.dat"), RATING_COLUMNS, "::"))

    def users(self) -> str | None:
        if not (self.folder / "users.dat").is_file():
            return None
        names = {name: "VARCHAR" for name in ("user_id", "gender", "age", "occupation", "zip")}
        age, occupation = (
            _words("age", AGES_1M),
            _words("occupation", {str(k): word for k, word in enumerate(OCCUPATIONS_1M)}),
        )
        rows = rows_without_header(self.folder / "users.dat", names, "::", fallback="latin-1")
        return f"SELECT user_id, {age} AS age, gender, {occupation} AS occupation FROM {rows}"

    def tags(self) -> str | None:
        if not (self.folder / "tags.dat").is_file():
            return None
        names = {name: "VARCHAR" for name in ("user_id", "item_id", "tag", "seconds")}
        return (
            f"SELECT item_id, tag FROM {rows_without_header(self.folder / 'tags.dat', names, '::')}"
        )


class _LayoutCsv(_Layout100K):
    """Commas and headers."""

    mark = "movies.csv"

    def films(self) -> str:
        return (
            "SELECT movieId AS item_id, trim(title) AS title, genres FROM "
            f"{self._rows('movies.csv', 'movieId', 'title', 'genres')}"
        )

    def ratings(self) -> str:
        self._file("ratings.csv")
        rows = self._rows("ratings.csv", "userId", "movieId", "rating", "timestamp")
        return _ratings(
            "(SELECT userId AS user_id, movieId AS item_id, rating, timestamp AS seconds FROM "
            f"{rows})"
        )

    def users(self) -> str | None:
        return None

    def tags(self) -> str | None:
        if not (self.folder / "tags.csv").is_file():
            return None
        return f"SELECT movieId AS item_id, tag FROM {self._rows('tags.csv', 'movieId', 'tag')}"

    def links(self) -> str | None:
        if not (self.folder / "links.csv").is_file():
            return None
        rows = self._rows("links.csv", "movieId", "imdbId", "tmdbId")
        return (
            f"WITH l AS (SELECT * FROM {rows}) SELECT movieId AS item_id, 'imdb' AS source, "
            "'tt' || lpad(imdbId, 7, '0') AS value FROM l "
            "UNION ALL SELECT movieId, 'tmdb', tmdbId FROM l"
        )

    def _rows(self, name: str, *needed: str) -> str:
        path = self.folder / name
        header = columns_of(path, self.db)
        if missing := [column for column in needed if column not in header]:
            raise ImportRefused(
                f"{path}: no {missing[0]} column; found {', '.join(header) or 'an empty file'}"
            )
        return rows_with_header(path, header, {"rating": "DOUBLE", "timestamp": "DOUBLE"})


_LAYOUTS = (_Layout100K, _LayoutDat, _LayoutCsv)
RATING_COLUMNS = {
    "user_id": "VARCHAR",
    "item_id": "VARCHAR",
    "rating": "DOUBLE",
    "seconds": "DOUBLE",
}


def _ratings(rows: str) -> str:
    return f"SELECT user_id, item_id, rating, seconds, CAST(NULL AS BOOLEAN) AS liked FROM {rows}"


def _words(column: str, words: dict[str, str]) -> str:
    """A code as its word; an unknown code stays as it is."""
    return (
        f"CASE {column} "
        + " ".join(f"WHEN {literal(code)} THEN {literal(word)}" for code, word in words.items())
        + f" ELSE {column} END"
    )
