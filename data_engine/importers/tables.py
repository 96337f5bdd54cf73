"""Generic tables: ratings + items + triples, CSV or TSV, gzip or not.

`read_folder` finds the three files of a folder by name and their columns by the names in use; `../shared/data/movies`
style folders (MovieLens ratings joined with DBpedia triples) load as they are.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from data_engine.errors import ImportRefused
from data_engine.store import Catalogue

FILES = {"ratings": ("ratings", "interactions", "pairs"), "items": ("movies", "items", "books"), "triples": ("kg", "triples", "edges")}
ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
COLUMNS = {
    "user": ("userId", "user_id", "user"),
    "item": ("movieId", "item_id", "itemId", "movie", "item", "book"),
    "rating": ("rating", "score"),
    "time": ("timestamp", "time"),
    "title": ("title", "name"),
    "relation": ("relation", "predicate"),
    "value": ("value", "object"),
    "uri": ("dbpedia_uri", "uri", "value_id"),
}


def read_folder(folder: Path, domain: str, *, skip_unknown: bool = False) -> Catalogue:
    """Read `folder` into a Catalogue. `skip_unknown` leaves out ratings and triples of items that the items file lacks.

    An attribute's identity is its URI, else its relation and name; the same name under two URIs stays two attributes.
    Raises ImportRefused with file and line for a missing file, a wrong column or a bad number.
    """
    if not folder.is_dir():
        raise ImportRefused(f"{folder} is no folder: give one that holds {', '.join(FILES)} as .csv or .tsv (gz or not)")
    paths = {part: _find(folder, part) for part in FILES}
    items = _items(paths["items"])
    interactions = _interactions(paths["ratings"])
    attributes, edges = _triples(paths["triples"])
    if skip_unknown:
        known = {item for item, _ in items}
        interactions = [row for row in interactions if row[1] in known]
        edges = [row for row in edges if row[0] in known]
    return Catalogue(domain, folder.name, items, attributes, edges, interactions)


def _find(folder: Path, part: str) -> Path:
    for stem in FILES[part]:
        for ending in ENDINGS:
            if (folder / (stem + ending)).is_file():
                return folder / (stem + ending)
    raise ImportRefused(f"{folder}: no {part} file: expected one of {', '.join(s + '.csv|.tsv[.gz]' for s in FILES[part])}")


def _read(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows as (line number, {our column name: text}); tabs are never quoted, commas follow CSV."""
    tabs = ".tsv" in path.suffixes
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL)
            header = next(reader, [])
            place = {}
            for name in needed + optional:
                found = next((header.index(c) for c in COLUMNS[name] if c in header), None)
                if found is not None:
                    place[name] = found
                elif name in needed:
                    raise ImportRefused(
                        f"{path}: no {name} column: expected one of {', '.join(COLUMNS[name])}; found {', '.join(header) or 'an empty file'}"
                    )
            for row in reader:
                if len(row) <= max(place.values()):
                    raise ImportRefused(f"{path} line {reader.line_num}: {len(row)} fields, the header has {len(header)}")
                yield reader.line_num, {name: row[k].strip() for name, k in place.items()}
    except (UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile, csv.Error) as error:
        raise ImportRefused(f"{path}: cannot be read as UTF-8 text ({error})") from error


def _items(path: Path) -> list[tuple[str, str]]:
    return [(row["item"], row["title"]) for _, row in _read(path, ("item", "title"))]


def _interactions(path: Path) -> list[tuple[str, str, float | None, int | None]]:
    rows = []
    for line, row in _read(path, ("user", "item"), ("rating", "time")):
        try:
            rating = float(row["rating"]) if row.get("rating") else None
            time = int(float(row["time"])) if row.get("time") else None
        except (ValueError, OverflowError) as error:
            raise ImportRefused(f"{path} line {line}: rating and time must be numbers, found {row}") from error
        rows.append((row["user"], row["item"], rating, time))
    return rows


def _triples(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str, str, int]]]:
    names: dict[str, str] = {}
    edges: dict[tuple[str, str, str], int] = {}
    seen: dict[tuple[str, str], int] = {}
    for _, row in _read(path, ("item", "relation", "value"), ("uri",)):
        attribute = row.get("uri") or f"{row['relation']}:{row['value']}"
        names.setdefault(attribute, row["value"])
        edge = (row["item"], row["relation"], attribute)
        if edge not in edges:
            place = seen.get(edge[:2], 0)
            edges[edge], seen[edge[:2]] = place, place + 1
    return list(names.items()), [(*edge, place) for edge, place in edges.items()]
