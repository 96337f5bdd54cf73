"""Writers put a draft into words. One module each; `Writer` is what the graph needs of one."""

from random import Random
from typing import Protocol

from agents.sampling import World
from agents.state import Draft
from data_engine.schema import Claim, Condition


class Writer(Protocol):
    """Words for facts; a writer decides no fact. `prompt_hash` is the content hash of its prompts or templates."""

    name: str
    prompt_hash: str

    def query(self, draft: Draft, world: World, rng: Random) -> str:
        """The user's request."""
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
