"""The configuration of the assistant's server."""

from pathlib import Path

from pydantic import Field

from agents.assistant.reasoning import SECONDS
from agents.assistant.second_reader import ReaderConfig
from data_engine.runtime.config import Config

MOST_MESSAGES = 200  # of a dialogue that is sent whole
MOST_EDITS = 50  # changes by hand in one request


class AssistantConfig(Config):
    """store: the DuckDB file. tokens: token file. names: what the server may be called by in a URL,
    None for anything. most_bytes: of a body. at_once: requests being answered. seconds: for one,
    of which a policy may take `policy_seconds`. reader: a language model that reads the
    messages too. checkpoints: a postgresql:// URL for conversations, None for SQLite beside the
    store.
    """

    store: Path
    tokens: Path | None = None
    names: frozenset[str] | None = None
    most_bytes: int = Field(2**20, ge=1024)
    at_once: int = Field(64, ge=1)
    seconds: float = Field(30.0, gt=0)
    policy_seconds: float = Field(SECONDS, gt=0)
    reader: ReaderConfig | None = None
    checkpoints: str | None = None
