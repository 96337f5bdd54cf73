"""The measures of `just bench words`, by hand and by what they must tell apart."""

from random import Random

import numpy as np
import pytest

from data_engine.names.mentions import NameFinder
from tests.word_measures import distinct_at, interval, lower_words, masked, name_spans, told_apart

KNOWN = NameFinder([("Ann Arden", "d1"), ("bell hooks", "w1"), ("Heat", "i1")], fold_case=False)
WORDS = lower_words(["could you find a film that has the same star, i liked, what is, are any"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Could you find a film with Ann Arden?", "Could you find a film with NAME?"),
        ("Zora Quill is great. What else is there?", "NAME is great. What else is there?"),
        ("I liked Heat. I'd like more of bell hooks.", "I liked NAME. I'd like more of NAME."),
        (
            "I saw The Bank of Dust (1986) and Dave (1993), and I'm happy.",
            "I saw NAME and NAME, and I'm happy.",
        ),
        ("Additionally, I saw 'Ox'. Heat too.", "Additionally, I saw NAME. NAME too."),
        ("movies like 'The Last Ox' and 'Ed'.", "movies like NAME and NAME."),
        ("Gérard de Vries's films, Å. Ek too", "NAME's films, NAME too"),
        ("terse film w/ Ann Arden, no crime?", "terse film w/ NAME, no crime?"),
        ("Are any from the 80s, before 1984?", "Are any from the 80s, before 1984?"),
    ],
)
def test_names_are_one_token_and_other_words_stay(text, found):
    assert masked(text, name_spans(text, KNOWN, WORDS)) == found


def test_an_interval_holds_the_mean_as_the_normal_law_says():
    values = np.random.default_rng(1).normal(10, 2, 400)
    low, high = interval(len(values), lambda drawn: values[drawn].mean())
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


def test_variety_is_compared_at_the_same_number_of_texts():
    """Two of three texts: pairs (a b), (a b) or (a b), (c d): distinct 1/2 or 1, the mean 5/6."""
    assert distinct_at(["a b", "a b", "c d"], 2) == pytest.approx(5 / 6, abs=0.06)
    assert distinct_at(["a b", "c d"], 9) == 1.0


def test_two_samples_of_one_source_are_not_told_apart_and_two_sources_are():
    rng = Random(0)

    def drawn(words):
        return [" ".join(rng.choices(words.split(), k=12)) for _ in range(60)]

    plain, other = "a film with some good music please and stars", "any movie of fine score thanks"
    same = told_apart([drawn(plain)], [drawn(plain)], "char", (2, 5))
    apart = told_apart([drawn(plain)], [drawn(other)], "word", (1, 2))
    assert 0.35 < same < 0.65 and apart > 0.99
