"""The assistant's application over a small catalogue, and a client in this process."""

import pytest
from fastapi.testclient import TestClient

from agents.assistant.server.app import App
from agents.assistant.server.config import AssistantConfig
from agents.assistant.server.metrics import AskMetrics
from data_engine.http.guard import LOOPBACK


@pytest.fixture(scope="module")
def small_store(hand_store, tmp_path_factory):
    """The hand-made catalogue in a folder of its own: conversations are kept beside it."""
    path = tmp_path_factory.mktemp("assistant") / "hand.duckdb"
    path.write_bytes(hand_store.read_bytes())
    return path


@pytest.fixture(scope="module")
def client(small_store):
    app = App(AssistantConfig(store=small_store, names=LOOPBACK), AskMetrics())
    app.start()
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        yield client
