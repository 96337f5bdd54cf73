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
    """Remembers texts and finds one that shares about ALIKE of its shingles with a new one."""

    def __init__(self) -> None:
        self._index = MinHashLSH(ALIKE, PERMUTATIONS, weights=(0.05, 0.95))  # rather too many candidates than too few: each is compared
        self._hashed: dict[str, np.ndarray] = {}

    def like(self, name: str, hashed: bytes) -> str | None:
        """The name of a text that is nearly the same, else None, and then this one is remembered."""
        values = np.frombuffer(hashed, np.uint32)
        made = MinHash(PERMUTATIONS, hashvalues=values, permutations=_FIRST.permutations, scheme=SCHEME)
        for other in sorted(self._index.query(made)):
            if (self._hashed[other] == values).mean() >= ALIKE:
                return other
        self._index.insert(name, made, check_duplication=False)
        self._hashed[name] = values
        return None
