"""Titles and values as people say them."""

from functools import lru_cache

from data_engine.names.titles import OWN, names_of, split_year


@lru_cache(maxsize=100_000)
def spoken_title(title: str) -> str:
    """ "The Muppets Take Manhattan" of "Muppets Take Manhattan, The (1984)".

    Without the year, and without the bracket that gives a title in another language.
    """
    return [name for name, filed in names_of(title) if filed == OWN][-1]


@lru_cache(maxsize=100_000)
def dated_title(title: str) -> str:
    """As `spoken_title`, with the year where the title has one: "The Haunting (1999)"."""
    year = split_year(title)[1]
    return f"{spoken_title(title)} ({year})" if year else spoken_title(title)


@lru_cache(maxsize=100_000)
def spoken_forms(title: str) -> frozenset[str]:
    """The casefolded ways to say an item's own title, the year aside."""
    said = {name for name, filed in names_of(title) if filed == OWN}
    return frozenset(name.casefold() for name in {*said, split_year(title)[0]})


SAID = {"animation": "animated"}


def spoken_value(name: str) -> tuple[str, ...]:
    """The casefolded ways to say a value: "comedy" or "comedies", "animation" or "animated"."""
    plain = name.casefold()
    others = [SAID[plain]] if plain in SAID else []
    return (plain, *others, plain[:-1] + "ies") if plain.endswith("y") else (plain, *others)
