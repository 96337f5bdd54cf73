"""Near-duplicates by MinHash (Broder 1997) over the words of a query, three at a time."""

import sqlite3

import numpy as np
from datasketch import MinHash

PERMUTATIONS, BANDS, ALIKE, SHINGLE, SCHEME = 64, 8, 0.85, 3, "affine32"
# drawing the permutations takes longer than hashing a query
_FIRST = MinHash(PERMUTATIONS, scheme=SCHEME)
_TABLES = """
CREATE TABLE bands (band INTEGER, hash BLOB, name TEXT, PRIMARY KEY (band, hash)) WITHOUT ROWID;
CREATE TABLE texts (name TEXT PRIMARY KEY, hashed BLOB) WITHOUT ROWID;
BEGIN
"""
_SAME_BAND = "SELECT name, hashed FROM bands JOIN texts USING (name) WHERE band = ? AND hash = ?"


def minhash(text: str) -> bytes:
    """The MinHash of a text: PERMUTATIONS unsigned integers of 32 bits."""
    words = text.casefold().split()
    made = MinHash(PERMUTATIONS, permutations=_FIRST.permutations, scheme=SCHEME)
    made.update_batch(
        [" ".join(words[k : k + SHINGLE]).encode() for k in range(max(1, len(words) - SHINGLE + 1))]
    )
    return made.hashvalues.astype(np.uint32).tobytes()


class NearDuplicates:
    """Finds a text that shares about ALIKE of its shingles with an earlier one.

    The bands of the hashes (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, ch. 3)
    lie in a temporary SQLite file, so that memory does not grow with them.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(_TABLES)

    def find_or_add(self, name: str, hashed: bytes) -> str | None:
        """The name of a text that is nearly the same; None, and this one is added, without one."""
        values, width = np.frombuffer(hashed, np.uint32), len(hashed) // BANDS
        bands = [(band, hashed[band * width : (band + 1) * width]) for band in range(BANDS)]
        for band in bands:
            row = self._db.execute(_SAME_BAND, band).fetchone()
            if row and (np.frombuffer(row[1], np.uint32) == values).mean() >= ALIKE:
                return str(row[0])
        self._db.executemany(
            "INSERT OR IGNORE INTO bands VALUES (?, ?, ?)", [(*band, name) for band in bands]
        )
        self._db.execute("INSERT INTO texts VALUES (?, ?)", [name, hashed])
        return None
