"""Words of which no condition can be made although they are known: "not too old", "under two
hours" of a catalogue that records no lengths.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from agents.assistant.request import Span, Unclear
from agents.assistant.understanding.lexicon import words_of
from agents.assistant.understanding.names import Mention

_LENGTHS = frozenset(("runtime", "running time", "run time", "duration", "length"))
_DEGREE = r"(?:(?:not|n't|nothing|never|neither|nor) )?(?:too|very|overly|that|all that|terribly)"
_SIDE = (
    r"(?:(?:less|more|fewer|shorter|longer|no longer|not longer|no more|not more) than"
    r"|under|below|over|above|at most|at least|up to|within)"
)
_NUMBER = r"(?:\d+(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|half an)"
_UNIT = r"(?:hours?|hrs?|minutes?|mins?)"
_HALF = r"(?: and a half)?"
_WORDS: tuple[tuple[Unclear, str], ...] = (
    ("vague_age", rf"\b{_DEGREE} (?:old|new|recent|modern)\b"),
    ("length", rf"\b{_DEGREE} (?:long|short|lengthy)\b"),
    ("length", rf"\b{_SIDE} {_NUMBER}{_HALF}[ -]?{_UNIT}{_HALF}\b(?: long)?"),
    ("length", rf"\b{_NUMBER}{_HALF}[ -]?{_UNIT}{_HALF} long\b"),
    ("length", r"\b(?:\d+|two|three|four)[ -](?:hour|minute)\b"),
)
_PATTERNS = tuple((why, re.compile(words, re.IGNORECASE)) for why, words in _WORDS)


def unclear(text: str, named: Sequence[Mention], relations: Collection[str]) -> Iterator[Span]:
    """The unclear words of a text, those of names left out. relations: of the catalogue."""
    known = {words_of(relation) for relation in relations}
    reasons = {"vague_age"} if "year" in known else set[Unclear]()
    reasons |= set() if known & _LENGTHS else {"length"}
    for why, pattern in _PATTERNS:
        for match in pattern.finditer(text) if why in reasons else ():
            start, end = match.span()
            if not any(one.start < end and start < one.end for one in named):
                yield Span(text=match[0], start=start, end=end, why=why)
