"""Names of invented people: a first and a last name of one culture, as a rule, from
`world_words/people.toml`.
"""

import tomllib
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

WORDS = Path(__file__).with_name("world_words")
MIXED = 0.15  # chance that first and last name come from two cultures


@cache
def first_names() -> dict[str, tuple[str, ...]]:
    """Culture → first names."""
    return {culture: tuple(parts["first"].split()) for culture, parts in _cultures().items()}


@cache
def last_names() -> dict[str, str]:
    """Last name → culture, the first one that has it."""
    found: dict[str, str] = {}
    for culture, parts in _cultures().items():
        built = product(parts.get("heads", "").split(), parts.get("tails", "").split())
        joined = [h + t for h, t in built if h.lower() != t and h[-1] != t[0]]
        for name in [*joined, *parts.get("whole", "").split()]:
            found.setdefault(name, culture)
    return found


def invent_people(count: int, seed: int) -> list[str]:
    """`count` distinct full names, the same for the same seed.

    At most four more than twice the mean bear one last name.
    """
    rng = Random(f"people {seed}")
    firsts, cultures = first_names(), last_names()
    lasts, anywhere = list(cultures), list(firsts)
    most = 4 + 2 * count // len(lasts)
    borne = Counter[str]()
    people: dict[str, None] = {}
    while len(people) < count:
        last = rng.choice(lasts)
        culture = rng.choice(anywhere) if rng.random() < MIXED else cultures[last]
        name = f"{rng.choice(firsts[culture])} {last}"
        if borne[last] < most and name not in people:
            people[name] = None
            borne[last] += 1
    return list(people)


@cache
def _cultures() -> dict[str, dict[str, str]]:
    return tomllib.loads((WORDS / "people.toml").read_text())
