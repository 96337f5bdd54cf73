"""A chat as token ids, with the tokens that the policy should have written.

The text before a message of the policy is tokenised alone, as it is when the policy is asked for
that message; so a lesson holds the very tokens that the policy will see.
"""

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from train.errors import TrainError
from train.tasks.base import Chat


class EncodedChat(NamedTuple):
    """Token ids of a chat, and per token whether the loss counts it."""

    ids: list[int]
    learned: list[bool]


def encode_chat(
    tokenizer: PreTrainedTokenizerBase, chat: Chat, learned: Sequence[bool]
) -> EncodedChat:
    """Encode a chat; `learned` says which messages are. What follows the last one is left out.

    A learned message counts from its first character to the token that ends it. Raises TrainError
    for a chat template that cannot write such chats.
    """
    ids: list[int] = []
    counts: list[bool] = []
    for text, own in pieces(tokenizer, chat, learned):
        part = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids += part
        counts += [own] * len(part)
    return EncodedChat(ids, counts)


def pieces(
    tokenizer: PreTrainedTokenizerBase, chat: Chat, learned: Sequence[bool]
) -> list[tuple[str, bool]]:
    """The text of a chat in pieces: before each learned message, and that message to its end."""
    found: list[tuple[str, bool]] = []
    done = ""
    for k, own in enumerate(learned):
        if not own:
            continue
        before = template(tokenizer, chat[:k], True)
        whole = template(tokenizer, chat[: k + 1], False)
        if not (before.startswith(done) and whole.startswith(before)):
            raise TrainError(
                "the chat template writes messages otherwise once another follows, so that no "
                "loss can be taken on all of them: use a model with another template"
            )
        message = _to_its_end(whole[len(before) :], tokenizer)
        found += [(before[len(done) :], False), (message, True)]
        done = before + message
    return found


def template(tokenizer: PreTrainedTokenizerBase, chat: Chat, asked: bool) -> str:
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


def _to_its_end(message: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The message up to the token at which generation stops; it is added where it is missing."""
    end: str = tokenizer.eos_token
    content, found, _ = message.rpartition(end)
    return content + end if found else message + end
