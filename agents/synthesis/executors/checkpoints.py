"""Where LangGraph keeps the checkpoints of requests that are being worked on."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver

from data_engine.errors import DataError


def open_checkpoints(url: str) -> AbstractAsyncContextManager[BaseCheckpointSaver]:
    """Return a saver: SQLite for a path, Postgres for a postgresql:// URL.

    Raises DataError when the package for Postgres is missing.
    """
    if not url.startswith(("postgres://", "postgresql://")):
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        Path(url).parent.mkdir(parents=True, exist_ok=True)
        return AsyncSqliteSaver.from_conn_string(url)
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    except ImportError as error:
        raise DataError(
            'checkpoints in Postgres need rerec[postgres]: pip install "rerec[postgres]", '
            "or leave --checkpoints out"
        ) from error
    saver: AbstractAsyncContextManager[BaseCheckpointSaver] = AsyncPostgresSaver.from_conn_string(
        url
    )
    return saver
