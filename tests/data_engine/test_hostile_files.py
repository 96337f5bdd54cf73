"""Three hundred damaged files: each gives a named error or an honest import with the rejects
counted; never a traceback, never a silent drop.
"""

import random
import re

import pytest

from data_engine.errors import RerecError
from data_engine.importers.movielens import MovieLens
from data_engine.importers.recbole import RecBole
from data_engine.importers.tables import Tables
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions

ROWS = 30
JUNK = (
    "",
    "\t",
    ",",
    '"',
    "\x00",
    "\xff",
    "é",
    "nan",
    "1e999",
    "-1",
    "99999999999999999999",
    "NULL",
    "\r",
    "::",
    "x" * 5000,
    "\u202e",
    "'; DROP TABLE items; --",
)


def tables(folder):
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n"
        + "".join(f"{n % 5},{n % 6},{n % 5},{n}\n" for n in range(ROWS))
    )
    (folder / "movies.tsv").write_text(
        "movieId\ttitle\n" + "".join(f"{n}\tFilm {n} (1990)\n" for n in range(6))
    )
    (folder / "kg.tsv").write_text(
        "movieId\trelation\tvalue\n" + "".join(f"{n}\tgenre\tG{n % 3}\n" for n in range(6))
    )
    return Tables(folder=folder), ("ratings.csv", "movies.tsv", "kg.tsv")


def movielens(folder):
    (folder / "ratings.dat").write_text(
        "".join(f"{n % 5}::{n % 6}::{n % 5}::{n}\n" for n in range(ROWS))
    )
    (folder / "movies.dat").write_text(
        "".join(f"{n}::Film {n} (1990)::Drama|Crime\n" for n in range(6)), encoding="latin-1"
    )
    return MovieLens(folder=folder), ("ratings.dat", "movies.dat")


def recbole(folder):
    (folder / "a.inter").write_text(
        "user_id:token\titem_id:token\trating:float\n"
        + "".join(f"{n % 5}\t{n % 6}\t{n % 5}\n" for n in range(ROWS))
    )
    (folder / "a.item").write_text(
        "item_id:token\ttitle:token_seq\tclass:token_seq\n"
        + "".join(f"{n}\tFilm {n}\tDrama Crime\n" for n in range(6))
    )
    return RecBole(folder=folder), ("a.inter", "a.item")


def damage(rng, body):
    """One of: bytes cut off, a byte changed, junk put in, a line doubled, lost, swapped or cut,
    compressed halfway.
    """
    place, lines = rng.randrange(len(body)), body.split(b"\n")
    line = rng.randrange(len(lines))
    how = rng.choice("cut byte junk double lose swap shorten field".split())
    if how == "cut":
        return body[:place]
    if how == "byte":
        return body[:place] + bytes([rng.randrange(256)]) + body[place + 1 :]
    if how == "junk":
        return (
            body[:place]
            + rng.choice(JUNK).encode("utf-8" if rng.random() < 0.7 else "utf-16")
            + body[place:]
        )
    if how == "double":
        return b"\n".join(lines[: line + 1] + lines[line:])
    if how == "lose":
        return b"\n".join(lines[:line] + lines[line + 1 :])
    if how == "swap":
        other = rng.randrange(len(lines))
        lines[line], lines[other] = lines[other], lines[line]
    elif how == "shorten":
        lines[line] = lines[line][: rng.randrange(len(lines[line]) + 1)]
    else:
        parts = re.split(rb"(,|\t|::)", lines[line])
        parts[rng.randrange(len(parts))] = rng.choice(JUNK).encode()
        lines[line] = b"".join(parts)
    return b"\n".join(lines)


@pytest.mark.journey
@pytest.mark.parametrize("make", [tables, movielens, recbole])
def test_damaged_files_are_refused_by_name_or_imported_with_every_row_accounted_for(tmp_path, make):
    rng, refused, taken = random.Random(make.__name__), 0, 0
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(make(tmp_path)[0])
        whole = store.graph_digest
        for _ in range(100):
            source, names = make(tmp_path)
            victim = tmp_path / rng.choice(names)
            victim.write_bytes(body := damage(rng, victim.read_bytes()))
            tolerance = ImportOptions(
                max_rejects=rng.choice((0, 1000)), skip_unknown=rng.random() < 0.5
            )
            before = store.graph_digest, store.counts()
            try:
                settled = store.replace_catalogue(source, tolerance)
            except RerecError as error:
                refused += 1
                assert "\n" not in str(error) and "Traceback" not in str(error)
                assert (store.graph_digest, store.counts()) == before
                continue
            taken += 1
            counts = store.counts()
            if (
                "rating" in victim.name or victim.suffix == ".inter"
            ):  # every line that is no header became a row or was counted
                lines = len([line for line in re.split(rb"\r\n|\n|\r", body) if line.strip()]) - (
                    make is not movielens
                )
                assert counts["interactions"] + settled.rejected + settled.skipped >= lines - (
                    b'"' in body
                ), body
        assert refused > 20 and taken > 20
        assert (
            store.replace_catalogue(make(tmp_path)[0]).rejected == 0 and store.graph_digest == whole
        )
