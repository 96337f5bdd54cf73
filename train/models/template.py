"""Chats as the text that a model reads, by the template of its tokenizer."""

from collections.abc import Sequence
from typing import Any

from train.errors import TrainError
from train.tasks.base import Chat


def chat_text(tokenizer: Any, chat: Chat, asked: bool) -> str:
    """The text of a chat, with the header of the next answer where one is `asked` for.

    Raises TrainError where the template refuses a role or an order of roles.
    """
    from jinja2.exceptions import TemplateError

    try:
        text = tokenizer.apply_chat_template(chat, add_generation_prompt=asked, tokenize=False)
    except (TemplateError, TypeError) as error:
        roles = ", ".join(message["role"] for message in chat)
        raise TrainError(f"the chat template does not take messages of {roles}: {error}") from error
    return str(text)


def prompt_ids(tokenizer: Any, chats: Sequence[Chat]) -> list[list[int]]:
    """Token ids of each chat up to the header of the next answer. Raises what `chat_text` does."""
    if not chats:
        return []
    texts = [chat_text(tokenizer, chat, True) for chat in chats]
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids
