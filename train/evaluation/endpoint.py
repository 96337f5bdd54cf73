"""Responses of a model behind any OpenAI-compatible endpoint, asked for once."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field

from agents.llm.cache import AnswerCache
from agents.llm.client import ChatClient
from agents.llm.config import ClientConfig, Connection
from agents.llm.errors import EndpointDown, EndpointRefused
from agents.llm.request import ChatRequest, Message
from data_engine.errors import Interrupted
from data_engine.schema import content_hash
from train.errors import TrainError
from train.evaluation.response_log import responses_in

RETRIES = 6  # of a failed call, after its first try


class EndpointConfig(Connection):
    """A model behind an endpoint; a response ends after `most_tokens`."""

    model: str = Field(min_length=1)
    timeout: float = Field(120.0, gt=0)
    most_tokens: int = Field(1024, ge=16)

    def client(self) -> ClientConfig:
        """The client's configuration: this connection, without a budget."""
        connection = self.model_dump(include=set(Connection.model_fields))
        return ClientConfig(**connection, retries=RETRIES)


def ignore_progress(done: int, total: int) -> None:
    """Show no progress."""


def ask(
    config: EndpointConfig,
    prompts: Sequence[str | list[Message]],
    temperature: float,
    seed: int,
    answers: Path | None,
    progress: Callable[[int, int], None] = ignore_progress,
    top_p: float = 1.0,
) -> list[str]:
    """Return one response per prompt (a text, or the messages of a chat), in order.

    A refusal is a response too. The k-th prompt is sampled with `seed` + k. `answers`: the file of
    the answer cache, where every response is as soon as it comes and is found by later runs; what
    the same name with .jsonl holds, as earlier versions wrote it, is taken over.
    progress: called with (answered, all).
    Raises TrainError when the endpoint refuses, Interrupted when it stays silent or on Ctrl-C.
    """
    requests = [
        _request(config, prompt, temperature, seed + k, top_p) for k, prompt in enumerate(prompts)
    ]
    hint = f"; {answers} holds what was answered: run the command again to go on" if answers else ""
    with AnswerCache(answers) as cache:
        if answers:
            take_over(answers.with_suffix(".jsonl"), cache, config.model)
        try:
            return asyncio.run(_ask_all(config.client(), cache, requests, progress))
        except EndpointRefused as error:
            raise TrainError(str(error)) from error
        except EndpointDown as error:
            last = type(error.__cause__ or error).__name__
            raise Interrupted(
                f"{config.base_url} does not answer ({last}) after {RETRIES + 1} tries{hint}"
            ) from error
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted{hint}") from None


def take_over(log: Path, cache: AnswerCache, model: str) -> None:
    """Put the responses of a JSON-lines file of an earlier version into the cache."""
    if not log.is_file():
        return
    for key, response in responses_in(log.read_text(encoding="utf-8")).items():
        cache.put(key, "policy", model, response)


def _request(
    config: EndpointConfig,
    prompt: str | list[Message],
    temperature: float,
    seed: int,
    top_p: float,
) -> ChatRequest:
    messages = [Message(role="user", content=prompt)] if isinstance(prompt, str) else prompt
    decisive = [config.model, prompt, temperature, seed, config.most_tokens]
    key = content_hash(decisive if top_p == 1 else [*decisive, top_p])  # 1 as before it was asked
    return ChatRequest(
        key=key,
        role="policy",
        model=config.model,
        messages=tuple(messages),
        temperature=temperature,
        max_tokens=config.most_tokens,
        seed=seed,
        top_p=None if top_p == 1 else top_p,
    )


async def _ask_all(
    config: ClientConfig,
    cache: AnswerCache,
    requests: Sequence[ChatRequest],
    progress: Callable[[int, int], None],
) -> list[str]:
    """All texts in order; the first error cancels the calls that are on their way."""
    found: dict[str, str] = {}

    async def one(client: ChatClient, request: ChatRequest) -> None:
        found[request.key] = await client.text(request)
        progress(len(found), len(requests))

    async with ChatClient(config, cache) as client:
        try:
            async with asyncio.TaskGroup() as group:
                for request in requests:
                    group.create_task(one(client, request))
        except BaseExceptionGroup as failed:
            first = failed.exceptions[0]
            raise first from first.__cause__
    return [found[request.key] for request in requests]
