"""A store that a test may change."""

import pytest


@pytest.fixture
def store(film_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    return path
