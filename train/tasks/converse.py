"""Dialogues played to their end, for evaluation: the policy speaks, the scripted user goes on or the
reward server answers its look-ups, until there is nothing more to say back. The last message is what
is judged. Training plays them in `train.verl_plugin.dialogue_loop`, by the same rules.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from reward_server.client import AsyncLookClient
from reward_server.wire import Look, Looked
from train.tasks.dialogues import DIALOGUES, MOST_CALLS, asked, told

Chat = list[dict[str, str]]  # messages: {"role": …, "content": …}
Speak = Callable[[Sequence[Chat], int], list[str]]  # (chats, round) → the next message of each
LookUp = Callable[[Sequence[Look]], list[Looked]]


@dataclass
class Dialogue:
    """One Example's dialogue as far as it has come. `later` is what the user will still say, `among`
    the candidates' ids, `calls` the look-ups so far.
    """

    chat: Chat
    later: list[str]
    among: tuple[str, ...]
    calls: int = 0
    open: bool = True
    pending: Look | None = field(default=None, repr=False)

    def hear(self, text: str) -> None:
        """Take the policy's message: a call waits for its answer, else the user goes on or it ends."""
        self.chat.append({"role": "assistant", "content": text})
        call = asked(text, self.among)
        self.pending = call if call is not None and self.calls < MOST_CALLS else None
        if self.pending:
            self.calls += 1
        elif self.later:
            self.chat.append({"role": "user", "content": self.later.pop(0)})
        else:
            self.open = False


def start(example: Example, evidence: Evidence, style: str) -> Dialogue:
    """The dialogue before the policy has spoken."""
    first, *rest = DIALOGUES[style](example, evidence)
    later = [message.content for message in rest if message.role == "user"]
    return Dialogue([{"role": "user", "content": first.content}], later, example.candidates)


def play(
    dialogues: Sequence[Dialogue],
    speak: Speak,
    look_up: LookUp,
    tool_role: str = "tool",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Play all of them side by side; the last message of each. `tool_role` is the role of what a
    look-up found. Raises what `speak` and `look_up` raise: a dialogue is never cut short unsaid.
    """
    turn = 0
    while live := [dialogue for dialogue in dialogues if dialogue.open]:
        for dialogue, text in zip(live, speak([d.chat for d in live], turn), strict=True):
            dialogue.hear(text)
        waiting = [dialogue for dialogue in live if dialogue.pending]
        for dialogue, found in zip(waiting, look_up([d.pending for d in waiting]), strict=True):
            dialogue.chat.append({"role": tool_role, "content": told(found)})
        turn += 1
        progress(sum(not dialogue.open for dialogue in dialogues), len(dialogues))
    return [dialogue.chat[-1]["content"] for dialogue in dialogues]


def server_look_up(url: str, digest: str) -> LookUp:
    """Look-ups answered by the reward servers at `url`. Raises RewardError when they are not."""

    async def ask(looks: Sequence[Look]) -> list[Looked]:
        async with AsyncLookClient(url, digest) as client:
            return list(await asyncio.gather(*map(client.score, looks)))

    return lambda looks: asyncio.run(ask(looks)) if looks else []
