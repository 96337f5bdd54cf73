"""Names in running text, against an oracle that tries every name at every word."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_engine.names.mentions import NameFinder

WORDS = st.sampled_from(["a", "b", "ab", "Ab", "ba", "é"])
NAME = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
TEXT = st.lists(WORDS | st.sampled_from([" ", " ", "-", "\n", ", "]), max_size=14).map("".join)


def plain(text):
    """Lower case, without accents, all else but letters a space; of the same length."""
    return "".join(c if c.isalnum() else " " for c in text.casefold().replace("é", "e"))


def expected(names, text):
    """From left to right, at each word the longest name that is whole words of one line."""
    found, k, words = [], 0, plain(text)
    while k < len(words):
        ends = [
            k + len(name)
            for name in map(plain, names)
            if words.startswith(name, k)
            and words[k + len(name) : k + len(name) + 1] in ("", " ")
            and "\n" not in text[k : k + len(name)]
        ]
        if ends and (k == 0 or words[k - 1] == " "):
            found.append((k, max(ends), words[k : max(ends)]))
            k = max(ends)
        else:
            k += 1
    return found


@given(st.lists(NAME, max_size=5), TEXT)
@example(["a b", "ab"], "a b ab")
@example(["a", "a b"], "a ba")
@example(["a b", "ba"], "a ba")
@example(["a", "a b"], "a\nb")
def test_the_longest_names_from_the_left_are_found_as_whole_words(names, text):
    finder = NameFinder(((name, plain(name)) for name in names), fold_case=True)
    found = finder.find(text)
    assert [(start, end, bearer) for start, end, (bearer,) in found] == expected(names, text)


def test_a_name_is_found_for_all_that_go_by_it_once_each():
    finder = NameFinder([("Heat", 1), ("heat", 2), ("HEAT!", 2), ("Heat!", 3)], fold_case=True)
    assert finder.find("the heat") == [(4, 8, (1, 2, 3))]
    assert NameFinder([("Heat", 1)], fold_case=False).find("the heat") == []


@pytest.mark.parametrize("names", [[], [("", 1)], [("!?", 1)]])
def test_nothing_is_found_where_no_name_has_a_letter(names):
    assert NameFinder(names, fold_case=True).find("!? Heat") == []
