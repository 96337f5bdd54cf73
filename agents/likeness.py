"""Near-duplicates by MinHash (Broder 1997) over the words of a query, three at a time."""

import numpy as np
from datasketch import MinHash, MinHashLSH

PERMUTATIONS, ALIKE, SHINGLE, SCHEME = 64, 0.85, 3, "affine32"
_FIRST = MinHash(PERMUTATIONS, scheme=SCHEME)  # drawing the permutations takes longer than hashing a query


def shingles(text: str) -> bytes:
    """The MinHash of a text, as bytes that `Likeness` takes."""
    words = text.casefold().split()
    made = MinHash(PERMUTATIONS, permutations=_FIRST.permutations, scheme=SCHEME)
    made.update_batch([" ".join(words[k : k + SHINGLE]).encode() for k in range(max(1, len(words) - SHINGLE + 1))])
    return made.hashvalues.astype(np.uint32).tobytes()


class Likeness:
    """Remembers texts and finds one that shares ALIKE of its shingles with a new one."""

    def __init__(self) -> None:
        self._index = MinHashLSH(ALIKE, PERMUTATIONS)

    def like(self, name: str, hashed: bytes) -> str | None:
        """The name of a text that is nearly the same, else None, and then this one is remembered."""
        made = MinHash(PERMUTATIONS, hashvalues=np.frombuffer(hashed, np.uint32), permutations=_FIRST.permutations, scheme=SCHEME)
        for other in sorted(self._index.query(made)):
            return other
        self._index.insert(name, made, check_duplication=False)
        return None
