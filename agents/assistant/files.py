"""Where the assistant keeps what it keeps of a store: a private folder beside it."""

from pathlib import Path

from data_engine.errors import DataError
from data_engine.store.feedback import feedback_path

CONVERSATIONS = "conversations.sqlite"


def check_store(store: Path) -> None:
    """Raise DataError where there is no store: before anything that takes long is loaded."""
    if not store.is_file():
        raise DataError(
            f"no store at {store}: make one with `rerec data import world --store {store}`"
        )


def assistant_folder(store: Path) -> Path:
    """`STORE.assistant`, made where it is missing; nobody else may read it."""
    folder = feedback_path(store).parent
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
