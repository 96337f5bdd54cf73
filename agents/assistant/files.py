"""Where the assistant keeps what it keeps of a store: a private folder beside it."""

from pathlib import Path

CONVERSATIONS, FEEDBACK = "conversations.sqlite", "feedback.sqlite"


def assistant_folder(store: Path) -> Path:
    """`STORE.assistant`, made where it is missing; nobody else may read it."""
    folder = store.with_name(f"{store.name}.assistant")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
