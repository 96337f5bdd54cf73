"""The writer that asks language models: a writer for the words, a critic for how they sound, a labeller for the steps. None decides a fact."""

import json
from collections.abc import Sequence
from random import Random

from pydantic import BaseModel, Field

from agents.errors import Unwritable
from agents.llm.client import Chat
from agents.llm.config import ChatConfig
from agents.synthesis.prompts import ROLES, fill, text_of
from agents.synthesis.sampling import World
from agents.synthesis.state import Draft
from agents.synthesis.verify import wanted_names
from agents.synthesis.writers.terse import TerseWriter
from data_engine.schema import Chain, Step, Turn, content_hash

LONGEST = 1200  # characters of a turn


class Turns(BaseModel):
    """The writer's answer."""

    turns: list[str] = Field(min_length=1, max_length=12)


class Verdict(BaseModel):
    """The critic's answer."""

    natural: int = Field(ge=1, le=5)
    problem: str = ""


class Steps(BaseModel):
    """The labeller's answer."""

    steps: list[str]


class ChatWriter(TerseWriter):
    """See `Writer`. What a request means is the terse writer's; the models put it into other words, which are then verified."""

    asks = True
    prompt_hash = content_hash([TerseWriter.prompt_hash, *map(text_of, ROLES)])

    def __init__(self, config: ChatConfig, chat: Chat) -> None:
        self.config, self.chat = config, chat
        self.name = f"chat:{config.writer}"

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The terse request in a person's words. Raises Unwritable."""
        plain = await super().turns(draft, world, rng, ())
        facts = {
            "plain": [turn.text for turn in plain],
            "names": sorted(wanted_names(draft, world)),
            "rejected": list(problems),
        }
        said = (
            await self.chat.ask(
                "writer",
                fill("writer", facts=json.dumps(facts, ensure_ascii=False)),
                Turns,
                rng.getrandbits(32),
            )
        ).turns
        if len(said) != len(plain) or not all(0 < len(text.strip()) <= LONGEST for text in said):
            raise Unwritable(
                f"{len(said)} messages instead of {len(plain)}, or an empty or endless one"
            )
        return tuple(
            Turn(role=turn.role, text=" ".join(text.split()))
            for turn, text in zip(plain, said, strict=True)
        )

    async def objections(self, draft: Draft, turns: tuple[Turn, ...]) -> list[str]:
        """The critic's, where it finds the words unnatural or says nothing usable."""
        if not self.config.model("critic"):
            return []
        request = json.dumps({"request": [turn.text for turn in turns]}, ensure_ascii=False)
        try:
            verdict = await self.chat.ask("critic", fill("critic", request=request), Verdict, 0)
        except Unwritable as error:
            return [str(error)]
        return (
            []
            if verdict.natural >= self.config.least_natural
            else [f"unnatural: {verdict.problem[:200]}"]
        )

    async def phrase(
        self, draft: Draft, chains: tuple[Chain, ...], world: World
    ) -> tuple[Chain, ...]:
        """Steps in the labeller's words, each only where it still names all that its claims are about; claims and labels stay."""
        if not self.config.model("labeller"):
            return chains
        texts = list(dict.fromkeys(step.text for chain in chains for step in chain.steps))
        try:
            prompt = fill("labeller", steps=json.dumps({"steps": texts}, ensure_ascii=False))
            said = (await self.chat.ask("labeller", prompt, Steps, 0)).steps
        except Unwritable:
            return chains
        if len(said) != len(texts):
            return chains
        other = dict(zip(texts, said, strict=True))

        def phrased(step: Step) -> Step:
            words = [
                *_names(step, world),
                *({"yes", "no", "keep", "skip"} & set(step.text.replace(",", "").split())),
            ]
            text = " ".join(other[step.text].split())
            kept = len(text) <= LONGEST and all(
                word.casefold() in text.casefold() for word in words
            )
            return step.model_copy(update={"text": text}) if kept else step

        return tuple(
            chain.model_copy(update={"steps": tuple(map(phrased, chain.steps))}) for chain in chains
        )


def _names(step: Step, world: World) -> set[str]:
    graph = world.evidence.attributes
    return {graph.titles[c.subject] for c in step.claims if c.subject} | {
        graph.names.get(c.value, c.value) for c in step.claims if c.value and c.holds
    }
