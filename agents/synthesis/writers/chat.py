"""The writer that asks language models; none of them decides a fact.

A writer finds the words, a critic judges how they sound, a labeller phrases the steps.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TypeVar

from pydantic import BaseModel, Field

from agents.llm.client import ChatClient
from agents.llm.errors import UnusableAnswer
from agents.llm.request import ChatRequest
from agents.llm.structured import response_format
from agents.synthesis.chat_config import ChatConfig, Role
from agents.synthesis.prompts import ROLES, Prompt, fill, text_of
from agents.synthesis.state import Draft
from agents.synthesis.wording import wanted_names
from agents.synthesis.world import World
from agents.synthesis.writers.registers import USUAL, register_of
from agents.synthesis.writers.terse import TerseWriter
from data_engine.schema import Chain, Step, Turn, content_hash

LONGEST = 1200  # characters of a turn or a step
VERDICTS = {"yes", "no", "keep", "skip"}  # words of a step that its phrasing must keep
Answer = TypeVar("Answer", bound=BaseModel)


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


def chat_request(
    config: ChatConfig, role: Role, prompt: Prompt, form: type[BaseModel], salt: int
) -> ChatRequest:
    """The request for a `form`; `salt` tells apart tries with the same words."""
    model = config.model(role)
    key = content_hash(
        [model, prompt.system, prompt.user, response_format(form), config.temperature, salt], 32
    )
    return ChatRequest(
        key=key,
        role=role,
        model=model,
        messages=(
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ),
        temperature=config.temperature,
        max_tokens=config.most_tokens,
    )


class ChatWriter(TerseWriter):
    """See `Writer`. The models put the terse writer's request into other words.

    Those are verified afterwards.
    """

    asks = True
    prompt_hash = content_hash([TerseWriter.prompt_hash, *map(text_of, ROLES)])

    def __init__(
        self, config: ChatConfig, client: ChatClient, registers: Mapping[str, float] = USUAL
    ) -> None:
        self.config, self.client, self.registers = config, client, registers
        self.name = f"chat:{config.writer}"

    def style(self, draft: Draft) -> str:
        """The register of a draft's words."""
        return register_of(draft, self.registers)

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The terse request in a person's words. Raises UnusableAnswer."""
        plain = await super().turns(draft, world, rng, ())
        facts = {
            "plain": [turn.text for turn in plain],
            "names": sorted(wanted_names(draft, world)),
            "register": self.style(draft),
            "rejected": list(problems),
        }
        prompt = fill("writer", facts=json.dumps(facts, ensure_ascii=False))
        said = (await self._ask("writer", prompt, Turns, rng.getrandbits(32))).turns
        if len(said) != len(plain) or not all(0 < len(text.strip()) <= LONGEST for text in said):
            raise UnusableAnswer(
                f"{len(said)} messages instead of {len(plain)}, or an empty or endless one"
            )
        return tuple(
            Turn(role=turn.role, text=" ".join(text.split()))
            for turn, text in zip(plain, said, strict=True)
        )

    async def objections(self, draft: Draft, turns: tuple[Turn, ...]) -> list[str]:
        """The critic's, where the words seem unnatural or its answer is unusable."""
        if not self.config.model("critic"):
            return []
        asked = {"request": [turn.text for turn in turns], "register": self.style(draft)}
        request = json.dumps(asked, ensure_ascii=False)
        try:
            verdict = await self._ask("critic", fill("critic", request=request), Verdict, 0)
        except UnusableAnswer as error:
            return [str(error)]
        if verdict.natural >= self.config.least_natural:
            return []
        return [f"unnatural: {verdict.problem[:200]}"]

    async def phrase(
        self, draft: Draft, chains: tuple[Chain, ...], world: World
    ) -> tuple[Chain, ...]:
        """The steps in the labeller's words, each only where it keeps all names and verdicts."""
        if not self.config.model("labeller"):
            return chains
        texts = list(dict.fromkeys(_step_texts(chains)))
        prompt = fill("labeller", steps=json.dumps({"steps": texts}, ensure_ascii=False))
        try:
            said = (await self._ask("labeller", prompt, Steps, 0)).steps
        except UnusableAnswer:
            return chains
        if len(said) != len(texts):
            return chains
        words = dict(zip(texts, said, strict=True))
        return tuple(_phrased_chain(chain, words, world) for chain in chains)

    async def _ask(self, role: Role, prompt: Prompt, form: type[Answer], salt: int) -> Answer:
        return await self.client.answer(chat_request(self.config, role, prompt, form, salt), form)


def _step_texts(chains: tuple[Chain, ...]) -> Iterator[str]:
    for chain in chains:
        for step in chain.steps:
            yield step.text


def _phrased_chain(chain: Chain, words: Mapping[str, str], world: World) -> Chain:
    """The chain with other words per text of a step."""
    steps = tuple(_phrased(step, words[step.text], world) for step in chain.steps)
    return chain.model_copy(update={"steps": steps})


def _phrased(step: Step, text: str, world: World) -> Step:
    """The step with this text, where that names all that its claims are about."""
    text = " ".join(text.split())
    verdicts = VERDICTS & set(step.text.replace(",", "").split())
    kept = len(text) <= LONGEST and all(
        word.casefold() in text.casefold() for word in (*_names(step, world), *verdicts)
    )
    return step.model_copy(update={"text": text}) if kept else step


def _names(step: Step, world: World) -> set[str]:
    """Names of the items and true values that the step's claims are about."""
    graph = world.evidence.attributes
    titles = {graph.titles[c.subject] for c in step.claims if c.subject}
    values = {graph.names.get(c.value, c.value) for c in step.claims if c.value and c.holds}
    return titles | values
