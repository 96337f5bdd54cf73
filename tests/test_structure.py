"""Limits on the source code that no linter offers: sizes of files and functions, comprehensions."""

import pytest

from tests.structure import measure


@pytest.fixture(scope="module")
def source():
    return measure()


def test_no_file_is_longer_than_350_lines_and_half_of_them_are_short(source):
    assert [name for name, lines in source.files.items() if lines > 350] == []
    assert source.median_file <= 120


def test_a_function_fits_a_screen(source):
    """40 lines, the options of a command left out."""
    assert [name for name, lines in source.functions.items() if lines > 40] == []


def test_comprehensions_are_rarely_nested(source):
    assert source.nested_per_1000 <= 1, source.nested


def test_lines_have_at_most_100_columns(source):
    assert source.long_lines == []
