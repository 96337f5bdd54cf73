"""The option that says where conversations with the assistant are kept."""

from typing import Annotated

import typer

from data_engine.errors import DataError

CheckpointsOption = Annotated[
    str | None,
    typer.Option(
        help="A postgresql:// URL for the conversations (password in PGPASSWORD); SQLite beside "
        "the store by default."
    ),
]


def check_url(checkpoints: str | None) -> None:
    """Raises DataError for a URL of anything else than Postgres."""
    if checkpoints and not checkpoints.startswith(("postgres://", "postgresql://")):
        raise DataError(
            "--checkpoints takes a postgresql:// URL; without it, conversations are kept beside "
            "the store"
        )
