"""Writers put a draft into words. One module each; `Writer` is what the graph needs of one."""

from collections.abc import Sequence
from random import Random
from typing import Protocol

from agents.synthesis.sampling import World
from agents.synthesis.state import Draft
from data_engine.schema import Chain, Claim, Condition, Turn

USER_FIRST = ("user", "assistant")


class Writer(Protocol):
    """Words for facts; a writer decides no fact. `prompt_hash` is the content hash of its prompts or templates."""

    name: str
    prompt_hash: str
    asks: bool  # whether there is a critic, and steps to phrase

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The user's request: one turn, or a conversation that ends with the user's. `problems` are what was wrong with the last try."""
        ...

    async def phrase(
        self, draft: Draft, chains: tuple[Chain, ...], world: World
    ) -> tuple[Chain, ...]:
        """The labelled chains, their steps in other words; claims and labels stay."""
        ...

    async def objections(self, draft: Draft, turns: tuple[Turn, ...]) -> list[str]:
        """What a critic holds against the wording, [] for nothing."""
        ...

    def opening(self, draft: Draft, claims: tuple[Claim, ...], world: World) -> str:
        """The hop or premise step that asserts `claims`."""
        ...

    def need(self, needs: tuple[Condition, ...]) -> str:
        """The step that names what is asked for."""
        ...

    def candidate(self, item: str, needs: tuple[Condition, ...], keep: bool, world: World) -> str:
        """The step that holds one candidate against the needs."""
        ...
