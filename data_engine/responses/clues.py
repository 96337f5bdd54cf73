"""What the words beside a name say of it: whether it is denied or needed, and in which relation."""

import re
from collections.abc import Iterable
from functools import lru_cache

CACHED = 65_536
SENTENCE_END = re.compile(r"[.;?!\n](?:(?<!\.)|(?=\s|$))")
NEEDS_LINE = re.compile(r"\s*Needs?\b")
SHARING = re.compile(r"\b(?:share|shares|same|common)\b")
WORD = re.compile(r"\w+")
_NEGATION = re.compile(
    r"\b(?:no|not|never|without|isn't|wasn't|doesn't|didn't|nor)\b", re.IGNORECASE
)
_NEED = re.compile(r"\b(?:needs?|wants?|asks?|asked|must|looking for)\b", re.IGNORECASE)
_NOUNS = {
    "star": "starring",
    "stars": "starring",
    "actor": "starring",
    "actress": "starring",
    "directed": "director",
    "music": "composer",
    "written": "writer",
}


class ClueReader:
    """`clue(words)`: whether they negate, and the last relation they name ("" for none).

    `need_clue(words)`, of the words of a line before a name: whether they say that something is
    needed, whether the name is denied, and the relation it stands in. Both are cached.
    """

    def __init__(self, relations: Iterable[str]) -> None:
        self._nouns = _NOUNS | {relation: relation for relation in relations}
        self.clue = lru_cache(CACHED)(self._clue)
        self.need_clue = lru_cache(CACHED)(self._need_clue)

    def _clue(self, words: str) -> tuple[bool, str]:
        if not words or words.isspace():
            return False, ""
        named = [self._nouns[w] for w in WORD.findall(words.lower()) if w in self._nouns]
        return bool(_NEGATION.search(words)), named[-1] if named else ""

    def _need_clue(self, before: str) -> tuple[bool, bool, str]:
        denied, relation = self.clue(before[before.rfind(" and ") + 1 :])
        return bool(_NEED.search(before)), denied, relation or self.clue(before)[1]
