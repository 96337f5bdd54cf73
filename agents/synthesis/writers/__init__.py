"""Writers put a draft into words: one module each, listed in `registry`."""

from collections.abc import Sequence
from random import Random
from typing import Literal, Protocol

from agents.synthesis.state import Draft
from agents.synthesis.world import World
from data_engine.schema import Chain, Claim, Condition, Turn

USER_FIRST: tuple[Literal["user"], Literal["assistant"]] = ("user", "assistant")


class Writer(Protocol):
    """Words for facts; a writer decides no fact.

    prompt_hash: content hash of the prompts or templates. asks: whether a model is asked, so that
    there is a critic, and steps to phrase.
    """

    name: str
    prompt_hash: str
    asks: bool

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The user's request: one turn, or a conversation that ends with the user's.

        problems: what was wrong with the last try.
        """
        ...

    def style(self, draft: Draft) -> str:
        """The register of the draft's words, "" where the writer has none."""
        ...

    async def phrase(
        self, draft: Draft, chains: tuple[Chain, ...], world: World
    ) -> tuple[Chain, ...]:
        """The labelled chains, their steps in other words; claims and labels stay."""
        ...

    async def objections(self, draft: Draft, turns: tuple[Turn, ...]) -> list[str]:
        """A critic's objections to the wording, [] for none."""
        ...

    def opening(self, draft: Draft, claims: tuple[Claim, ...], world: World) -> str:
        """The hop or premise step that asserts `claims`."""
        ...

    def need(self, needs: tuple[Condition, ...]) -> str:
        """The step that names the conditions asked for."""
        ...

    def candidate(self, item: str, needs: tuple[Condition, ...], keep: bool, world: World) -> str:
        """The step that compares one candidate with the needs."""
        ...


def alternating(texts: Sequence[str]) -> tuple[Turn, ...]:
    """Turns of user and assistant, the user first."""
    return tuple(Turn(role=USER_FIRST[n % 2], text=text) for n, text in enumerate(texts))
