"""Dialogues played to their end: the policy speaks, the scripted user goes on or the reward server
answers its look-ups, until there is nothing more to say back. The last message is scored.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reward_server.client import AsyncLookClient
from reward_server.wire import Look, Looked
from train.tasks.base import Chat, LookUp, Progress, no_progress
from train.tasks.tool_calls import MOST_CALLS, parse_call, tool_message

Respond = Callable[[Sequence[Chat], int], list[str]]  # (chats, turn) → the next message of each


@dataclass
class Dialogue:
    """The state of a dialogue; training and evaluation play by the same rules.

    later: messages that the user has yet to send. among: ids of the candidates. calls: look-ups so
    far. pending: the look-up that waits for its result. open: whether the policy speaks again.
    """

    chat: Chat
    later: list[str]
    among: Sequence[str]
    calls: int = 0
    open: bool = True
    pending: Look | None = field(default=None, repr=False)

    def add_response(self, text: str) -> None:
        """Add the policy's message; a call is then pending, else the user goes on or it ends."""
        self.chat.append({"role": "assistant", "content": text})
        call = parse_call(text, self.among)
        self.pending = call if self.calls < MOST_CALLS else None
        if self.pending:
            self.calls += 1
        elif self.later:
            self.chat.append({"role": "user", "content": self.later.pop(0)})
        else:
            self.open = False

    def add_result(self, result: Looked, role: str = "tool") -> None:
        """Add the result of the pending look-up."""
        self.chat.append({"role": role, "content": tool_message(result)})
        self.pending = None


def play(
    dialogues: Sequence[Dialogue],
    respond: Respond,
    look_up: LookUp,
    tool_role: str = "tool",
    progress: Progress = no_progress,
) -> list[str]:
    """Play all of them side by side; returns the last message of each.

    Raises what `respond` and `look_up` raise: a dialogue is never cut short silently.
    """
    turn = 0
    while live := [dialogue for dialogue in dialogues if dialogue.open]:
        texts = respond([dialogue.chat for dialogue in live], turn)
        for dialogue, text in zip(live, texts, strict=True):
            dialogue.add_response(text)
        _answer_calls([dialogue for dialogue in live if dialogue.pending], look_up, tool_role)
        turn += 1
        progress(sum(not dialogue.open for dialogue in dialogues), len(dialogues))
    return [dialogue.chat[-1]["content"] for dialogue in dialogues]


def _answer_calls(calling: Sequence[Dialogue], look_up: LookUp, tool_role: str) -> None:
    pending = [dialogue.pending for dialogue in calling if dialogue.pending]
    for dialogue, result in zip(calling, look_up(pending), strict=True):
        dialogue.add_result(result, tool_role)


def server_look_up(url: str, digest: str) -> LookUp:
    """Look-ups answered by the reward servers at `url`. Raises RewardError when they are not."""

    async def look_up_all(looks: Sequence[Look]) -> list[Looked]:
        async with AsyncLookClient(url, digest) as client:
            return list(await asyncio.gather(*map(client.score, looks)))

    def look_up(looks: Sequence[Look]) -> list[Looked]:
        return asyncio.run(look_up_all(looks)) if looks else []

    return look_up
