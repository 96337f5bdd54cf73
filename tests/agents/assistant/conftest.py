import pytest

from agents.assistant.assistant import Assistant
from data_engine.store.database import Store
from tests.agents.assistant.small import small_catalogue


@pytest.fixture(scope="session")
def small_store(tmp_path_factory):
    """The small catalogue in a store."""
    path = tmp_path_factory.mktemp("small") / "small.duckdb"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(small_catalogue())
    return path


@pytest.fixture(scope="session")
def assistant(small_store):
    return Assistant(small_store)
