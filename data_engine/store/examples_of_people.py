"""The Examples of a store that were made of questions which people asked."""

from collections.abc import Iterable
from itertools import chain

from data_engine.schema import Example
from data_engine.store.database import Store

PEOPLE = "people"  # their writer


def replace_examples_of_people(store: Store, examples: Iterable[Example]) -> None:
    """Put the Examples behind those of other writers, in place of those of earlier questions."""
    others = (
        one
        for one in store.stream()
        if one.split != "benchmark" and one.provenance.writer != PEOPLE
    )
    store.replace_examples(chain(others, examples))
