"""The words of sentences, read from `grammar.toml`."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def grammar() -> dict[str, Any]:
    """The file, parsed."""
    return tomllib.loads(Path(__file__).with_name("grammar.toml").read_text())


@cache
def words(section: str, key: str) -> frozenset[str]:
    """A list of words, whether it is written as a list or as a text."""
    found = grammar()[section][key]
    return frozenset(found.split() if isinstance(found, str) else found)


@cache
def pattern(section: str, key: str) -> re.Pattern[str]:
    """A regular expression over a shape (see `prose`), of whole words."""
    text = grammar()[section][key].strip().replace("\n", "")
    return re.compile(rf"(?<!\S){text}(?!\S)")


def relation_words(relations: Iterable[str]) -> dict[str, str]:
    """Word → the relation it stands for, among those of a graph; their own names too."""
    known = set(relations)
    found = {}
    for word, meant in grammar()["relations"].items():
        if fit := [relation for relation in meant if relation in known]:
            found[word] = fit[0]
    return found | {relation.replace("_", " "): relation for relation in known}
