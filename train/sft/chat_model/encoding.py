"""A chat as token ids, with the tokens that the policy should have written.

The text before a message of the policy is tokenised alone, as it is when the policy is asked for
that message; so a lesson holds the very tokens that the policy will see.
"""

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from data_engine.responses.reading import split_answer
from train.errors import TrainError
from train.models.template import chat_text
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


def answer_tokens(tokenizer: PreTrainedTokenizerBase, chat: Chat, learned: Sequence[bool]) -> range:
    """Places in `encode_chat` of the text between the answer tags of the last message.

    Raises TrainError for a tokenizer that does not say where its tokens stand.
    """
    if not tokenizer.is_fast:
        raise TrainError("this tokenizer does not say where its tokens stand: leave out the weight")
    *before, (message, _) = pieces(tokenizer, chat, learned)
    first = sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text, _ in before)
    _, answer, _ = split_answer(message)
    start = message.rfind(answer, 0, message.rfind("</answer>")) if answer else len(message)
    places = tokenizer(message, add_special_tokens=False, return_offsets_mapping=True)
    inside = [
        first + k
        for k, (opens, ends) in enumerate(places["offset_mapping"])
        if answer and opens < start + len(answer) and start < ends
    ]
    return range(inside[0], inside[-1] + 1) if inside else range(0)


def pieces(
    tokenizer: PreTrainedTokenizerBase, chat: Chat, learned: Sequence[bool]
) -> list[tuple[str, bool]]:
    """The text of a chat in pieces: before each learned message, and that message to its end."""
    found: list[tuple[str, bool]] = []
    done = ""
    for k, own in enumerate(learned):
        if not own:
            continue
        before = chat_text(tokenizer, chat[:k], True)
        whole = chat_text(tokenizer, chat[: k + 1], False)
        if not (before.startswith(done) and whole.startswith(before)):
            raise TrainError(
                "the chat template writes messages otherwise once another follows, so that no "
                "loss can be taken on all of them: use a model with another template"
            )
        message = _to_its_end(whole[len(before) :], tokenizer)
        found += [(before[len(done) :], False), (message, True)]
        done = before + message
    return found


def _to_its_end(message: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The message up to the token at which generation stops; it is added where it is missing."""
    end: str = tokenizer.eos_token
    content, found, _ = message.rpartition(end)
    return content + end if found else message + end
