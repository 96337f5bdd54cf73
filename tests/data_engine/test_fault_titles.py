"""Titles with entities, other year brackets and no words; every title of a catalogue is its own."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_engine.names.cleaning import clean_text
from data_engine.names.mentions import TitleFinder
from data_engine.names.titles import TitleResolver, split_year

TITLES = {
    "1": "Heat (1995)",
    "2": "Tom &amp; Jerry&#39;s Day (1999)",
    "3": "Psycho (1960)",
    "4": "Psycho (1998)",
    "5": "!!! (2001)",
    "6": "🙂",
    "7": "C (2000)",
    "8": "C++ (2000)",
    "9": "Monaco, 1984",
    "10": "1984 (1984)",
    "11": "Blade Runner 2049 (2017)",
    "12": "(1972)",
    "13": "…",
    "14": "東京物語 (1953)",
}
RESOLVER = TitleResolver(TITLES)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("Heat [1995]", "1"),
        ("Heat, 1995", "1"),
        ("Heat,1995", "1"),
        ("Heat（1995）", "1"),
        ("Heat［1995］", "1"),
        ("Heat（１９９５）", "1"),
        ("Heat - 1995", "1"),
        ("Heat – 1995", "1"),
        ("Heat — 1995", "1"),
        ("Heat&nbsp;(1995)", "1"),
        ("Heat &#40;1995&#41;", "1"),
        ("He\u200bat (1995)\u200b", "1"),
        ("Heat\u00a0\t(1995)", "1"),
        ("Psycho [1998]", "4"),
        ("Psycho, 1960", "3"),
        ("Tom & Jerry's Day", "2"),
        ("tom and jerrys day (1999)", "2"),
        ("Tom &amp; Jerry&#39;s Day [1999]", "2"),
        ("Tom &amp;amp; Jerry&apos;s Day", "2"),
        ("!!!", "5"),
        ("! ! !", "5"),
        ("!!! [2001]", "5"),
        ("🙂", "6"),
        ("C (2000)", "7"),
        ("C++ (2000)", "8"),
        ("Monaco, 1984", "9"),
        ("Monaco (1984)", "9"),
        ("1984", "10"),
        ("1984, 1984", "10"),
        ("Blade Runner 2049", "11"),
        ("(1972)", "12"),
        ("…", "13"),
        ("東京物語（1953）", "14"),
    ],
)
def test_fault_case_14_a_title_however_its_year_and_signs_are_written(text, item):
    assert (RESOLVER.resolve(text).status, RESOLVER.resolve(text).items) == ("ok", (item,))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Heat [1996]", "another year"),
        ("Heat, 1996", "another year"),
        ("Heat - 1996", "another year"),
        ("Heat 1995", "no such title"),  # may be a name: Blade Runner 2049
        ("Heat (1995]", "no such title"),
        ("!!", "no such title"),
        ("!!! (2002)", "another year"),
        ("", "no such title"),
        ("(", "no such title"),
    ],
)
def test_fault_case_14_nothing_is_guessed(text, reason):
    found = RESOLVER.resolve(text)
    assert (found.status, found.items, found.reason) == ("unknown", (), reason)


@pytest.mark.parametrize(
    ("title", "name", "year"),
    [
        ("Heat [1995]", "Heat", "1995"),
        ("Heat（1995） ", "Heat", "1995"),
        ("Heat (1995]", "Heat (1995]", ""),
        ("(1995)", "(1995)", ""),
        ("1995)", "1995)", ""),
        ("Heat (١٩٩٥)", "Heat (١٩٩٥)", ""),
        ("Monaco, 1984", "Monaco, 1984", ""),
        ("", "", ""),
    ],
)
def test_fault_case_14_where_the_year_is(title, name, year):
    assert split_year(title) == (name, year)


def test_fault_case_14_titles_that_cannot_be_told_are_named():
    assert RESOLVER.unresolvable() == []
    alike = TITLES | {"20": "Heat (1995)", "21": "", "22": "HEAT (1995)"}
    assert TitleResolver(alike).unresolvable() == ["1", "20", "21"]


YEARS = st.sampled_from(
    ["", " (1984)", " [1984]", "（1984）", ", 1995", " - 1995", " (1984) (1984)", " 1984"]
)
NAMES = st.sampled_from(
    "1984|!!!|...|C|C++|c|Heat|HEAT|Héat|The Heat|Heat, The|Heat: Part II|Heat: The End|Heat "
    "(Cold)|"
    "(Cold)|🙂|🙂🙂|東京|'|''|-|&|&&|and|Part 2|Part II|II|X|()|[]|[1984]|a.k.a. Heat|ñ|n|"
    "Heat (a.k.a. Cold)|Tom & Jerry's|Tom &amp; Jerry&#39;s".split("|")
)
ODD = st.builds("{}{}".format, NAMES | st.text(min_size=1, max_size=8), YEARS) | st.text(max_size=8)


@given(st.lists(ODD, max_size=12))
def test_fault_case_14_every_title_of_a_catalogue_is_its_own(raw):
    """Titles as imports clean them: all but those that stand there twice, or are empty."""
    titles = {str(n): clean_text(title) for n, title in enumerate(raw)}
    shown = list(titles.values())
    twice = [item for item, title in titles.items() if shown.count(title) > 1 or not title]
    assert TitleResolver(titles).unresolvable() == twice


@example(one="\x1b´", other="")  # an accent alone, which NFKC makes a blank and an accent
@given(ODD, ODD)
def test_fault_case_14_titles_that_were_never_cleaned_are_their_own_too(one, other):
    titles = {"1": one, "2": other}
    if clean_text(one) and clean_text(one) != clean_text(other):
        assert TitleResolver({"1": one}).resolve(one).items == ("1",)
        assert "1" in TitleResolver(titles).resolve(one).items


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("I liked Heat [1995], a lot.", "Heat [1995]"),
        ("I liked Heat（1995）。", "Heat（1995）"),
        ("I liked Heat (1995).", "Heat (1995)"),
        ("I liked Heat [and more].", "Heat"),
        ("[I liked Heat]", "Heat"),
        ("I liked Heat [1996].", None),
        ("I liked Heat（1996）.", None),
        ("I liked Psycho [1998].", "Psycho [1998]"),
        ("I liked Psycho [1961].", None),
        ("I liked Tom & Jerry's Day.", "Tom & Jerry's Day"),
        ("I liked Tom &amp; Jerry&#39;s Day [1999].", "Tom &amp; Jerry&#39;s Day [1999]"),
        ("I liked Tom &amp; Jerry's Day!", "Tom &amp; Jerry's Day"),
    ],
)
def test_fault_case_14_mentions_with_other_brackets_and_entities(text, mention):
    found = TitleFinder(TITLES).find(text)
    assert [text[start:end] for _, start, end in found] == ([mention] if mention else [])
