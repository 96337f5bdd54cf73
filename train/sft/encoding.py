"""Lessons as token ids."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from train.sft.lessons import Lesson


@dataclass(frozen=True)
class EncodedLesson:
    """A Lesson as token ids.

    own: positions in the prompt of the policy's earlier messages, which are learned with it.
    """

    prompt: list[int]
    gold: list[int]
    flawed: list[list[int]]
    own: list[int]


def encode(taught: Sequence[Lesson], tokenizer: PreTrainedTokenizerBase) -> list[EncodedLesson]:
    """Tokenise prompts (through the chat template) and responses (closed by the end token)."""
    chats = tokenizer.apply_chat_template(
        [lesson.chat for lesson in taught], add_generation_prompt=True, tokenize=False
    )
    end: str = tokenizer.eos_token
    prompts = [
        _prompt_pieces(lesson, chat, end) for lesson, chat in zip(taught, chats, strict=True)
    ]
    texts: list[str] = []  # of all lessons, for one call of the tokenizer
    for pieces, lesson in zip(prompts, taught, strict=True):
        texts += [*pieces, lesson.gold + end, *(flawed + end for flawed in lesson.flawed)]
    ids = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
    found = []
    for pieces, lesson in zip(prompts, taught, strict=True):
        prompt, own = _joined([next(ids) for _ in pieces])
        gold, flawed = next(ids), [next(ids) for _ in lesson.flawed]
        found.append(EncodedLesson(prompt, gold, flawed, own))
    return found


def _joined(pieces: list[list[int]]) -> tuple[list[int], list[int]]:
    """The pieces of a prompt in one, and the positions of every second, which are learned."""
    prompt: list[int] = []
    own: list[int] = []
    for k, ids in enumerate(pieces):
        prompt += ids
        if k % 2:
            own += range(len(prompt) - len(ids), len(prompt))
    return prompt, own


def _prompt_pieces(lesson: Lesson, chat: str, end: str) -> list[str]:
    """The chat before a response in pieces: every second one is a message that is learned."""
    messages = [(lesson.prompt, False)]
    messages += [(m.content, m.role == "assistant" and not m.flawed) for m in lesson.since]
    pieces = [""]
    for content, learned in messages:
        header, message, chat = chat.partition(content + end)
        if learned:
            pieces[-1] += header
            pieces += [message, ""]
        else:
            pieces[-1] += header + message
    pieces[-1] += chat
    return pieces
