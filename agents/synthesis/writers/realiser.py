"""Grammar to sentences: "[a|b]" chooses, "<pool>" draws, "{slot}" is filled, "@" is a or an.

Names of the catalogue are single private characters until the end, so that nothing reads or alters
them as grammar.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

FIRST = 0xE000  # of the private use area: the character of the first name
_PRIVATE = "\ue000-\uf8ff"
_CHOICE, _POOL = re.compile(r"\[([^\[\]]*)\]"), re.compile(r"<(\w+)>")
_OPENS = re.compile(rf"(^|[.?!] )([a-z{_PRIVATE}])")
_ARTICLE = re.compile(r"(^|[.?!] )?@ (\S)")
_LONG_WORD = re.compile(rf"(?<![\w'{_PRIVATE}])[a-z]{{5,}}(?![\w'{_PRIVATE}])")
_KEPT = frozenset("before after without newer older above below except nothing never".split())
_COUNTS = "no one two three four five six seven eight nine ten".split()
_FULL = (
    ("I'm", "I am"),
    ("I'd", "I would"),
    ("I've", "I have"),
    ("it's", "it is"),
    ("isn't", "is not"),
    ("aren't", "are not"),
    ("weren't", "were not"),
    ("didn't they", "did they not"),
    ("doesn't", "does not"),
    ("wasn't", "was not"),
    ("don't", "do not"),
    ("can't", "cannot"),
    ("needn't", "need not"),
)


class Names:
    """The names that one request says, each with its private character."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def add(self, name: str) -> str:
        """The character that stands for a name."""
        self._names.append(name)
        return chr(FIRST + len(self._names) - 1)

    def of(self, character: str) -> str:
        """The name of a character, or the character itself."""
        return self._names[ord(character) - FIRST] if ord(character) >= FIRST else character

    def fill(self, text: str) -> str:
        """The text with all its names; one that ends a sentence with a full stop of its own needs
        no other.
        """
        for n, name in enumerate(self._names):
            if name.endswith((".", "!", "?")):
                text = text.replace(f"{chr(FIRST + n)}.", chr(FIRST + n))
        return text.translate({FIRST + n: name for n, name in enumerate(self._names)})


class Slots(dict[str, str]):
    """Slots that are made when they are first needed, and kept."""

    def __init__(self, known: Mapping[str, str], makers: Mapping[str, Callable[[], str]]) -> None:
        super().__init__(known)
        self._makers = makers

    def __missing__(self, slot: str) -> str:
        """Make the slot. Raises KeyError where there is none of this name."""
        self[slot] = self._makers[slot]()
        return self[slot]


@cache
def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def expand(text: str, pools: Mapping[str, Sequence[str]], rng: Random) -> str:
    """Draw pools and choices; slots are left."""
    while "<" in text and (pool := _POOL.search(text)):
        text = text[: pool.start()] + rng.choice(pools[pool[1]]) + text[pool.end() :]
    while "[" in text and (choice := _CHOICE.search(text)):
        text = text[: choice.start()] + rng.choice(_alternatives(choice[1])) + text[choice.end() :]
    return text


def fill(text: str, slots: Mapping[str, Any]) -> str:
    """Fill slots, whose own text may have slots."""
    for _ in range(3):
        if "{" not in text:
            break
        text = text.format_map(slots)
    return text


def realise(text: str, names: Names, *, sentences: bool = True, full: bool = False) -> str:
    """Tidy spaces and punctuation, choose articles, open sentences with a capital letter.

    sentences: False leaves lower case. full: without contractions.
    """
    text = " ".join(text.split())
    for wrong, right in ((" ,", ","), (" .", "."), (" ?", "?"), ("?.", "?"), ("!.", "!")):
        text = text.replace(wrong, right)
    text = _ARTICLE.sub(lambda found: _article(found, names), text)
    for short, whole in _FULL if full else ():
        text = text.replace(short, whole)
    if not sentences:
        return text
    return _OPENS.sub(lambda found: found[1] + _capital(found[2], names), text)


def _article(found: re.Match[str], names: Names) -> str:
    first = names.of(found[2])[:1].lower()
    return f"{found[1] or ''}{'an' if first in 'aeiou' else 'a'} {found[2]}"


def _capital(character: str, names: Names) -> str:
    if ord(character) < FIRST:
        return character.upper()
    name = names.of(character)
    return names.add(name[:1].upper() + name[1:])


def joined(parts: Sequence[str]) -> str:
    """ "A, B and C"."""
    *most, last = parts or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def counted(count: int, one: str, many: str) -> str:
    """ "one film", "three films", "43 films"."""
    word = _COUNTS[count] if count < len(_COUNTS) else str(count)
    return f"{word} {one if count == 1 else many}"


def with_typos(text: str, share: float, rng: Random) -> str:
    """The text with a letter lost, doubled or swapped in this share of its longer words.

    Names are still characters, and words that deny or bound are kept.
    """

    def typed(found: re.Match[str]) -> str:
        word = found[0]
        if word in _KEPT or rng.random() >= share:
            return word
        at = rng.randrange(1, len(word) - 1)
        one, two, rest = word[at], word[at + 1], word[at + 2 :]
        return word[:at] + rng.choice((two, one + one + two, two + one)) + rest

    return _LONG_WORD.sub(typed, text)
