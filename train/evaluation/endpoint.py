"""Responses of any OpenAI-compatible model, to be held against ours: many at a time, kept as they come, asked for once."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import openai
from pydantic import Field

from data_engine.errors import Interrupted
from data_engine.runtime.config import Config
from data_engine.schema import content_hash
from train.errors import TrainError
from train.evaluation.kept import Kept

RETRIES = 6  # of 408, 409, 429, 5xx and lost connections, by the client itself: it honours Retry-After and adds jitter


class EndpointConfig(Config):
    """Whom to ask, and how many at a time. The key is read from the environment variable `key_env`, never kept."""

    model: str = Field(min_length=1)
    base_url: str = "http://127.0.0.1:8000/v1"
    key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(16, ge=1, le=1024)
    timeout: float = Field(120.0, gt=0)
    most_tokens: int = Field(1024, ge=16)


Message = dict[str, str]  # {"role": …, "content": …}


def ask(
    config: EndpointConfig,
    prompts: Sequence[str | list[Message]],
    temperature: float,
    seed: int,
    kept: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """One response per prompt (a text, or the messages of a chat), in order; a refusal is a response too.

    Each is appended to `kept` (JSON lines) when it is there, and not asked for again by a run that finds it. Raises TrainError when the endpoint
    refuses, Interrupted when it stays silent or on Ctrl-C.
    """
    names = [
        content_hash([config.model, prompt, temperature, seed + k, config.most_tokens])
        for k, prompt in enumerate(prompts)
    ]
    record = Kept(kept)
    wanted = {
        name: (prompt, seed + k)
        for k, (name, prompt) in enumerate(zip(names, prompts, strict=True))
        if name not in record.found
    }
    again = f"; {kept} holds what was answered: run the command again to go on" if kept else ""
    try:
        asyncio.run(
            _ask_all(
                config,
                wanted,
                temperature,
                record,
                lambda: progress(sum(name in record.found for name in names), len(names)),
            )
        )
    except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
        raise Interrupted(
            f"{config.base_url} does not answer ({type(error).__name__}) after {RETRIES + 1} tries{again}"
        ) from error
    except openai.APIError as error:
        raise TrainError(
            f"{config.base_url} refuses model {config.model!r}: {str(error)[:200]}"
        ) from error
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted{again}") from None
    return [record.found[name] for name in names]


async def _ask_all(
    config: EndpointConfig,
    wanted: dict[str, tuple[str | list[Message], int]],
    temperature: float,
    record: Kept,
    tell: Callable[[], None],
) -> None:
    slots, key = (
        asyncio.Semaphore(config.concurrency),
        os.environ.get(config.key_env) or "none",
    )  # local endpoints need none
    async with openai.AsyncOpenAI(
        base_url=config.base_url, api_key=key, max_retries=RETRIES, timeout=config.timeout
    ) as client:

        async def one(name: str, prompt: str | list[Message], seed: int) -> None:
            async with slots:
                done = await client.chat.completions.create(
                    model=config.model,
                    messages=[{"role": "user", "content": prompt}]
                    if isinstance(prompt, str)
                    else prompt,
                    temperature=temperature,
                    seed=seed,
                    max_tokens=config.most_tokens,
                )
            said = done.choices[0].message if done.choices else None
            record.add({name: (said.content or said.refusal or "") if said else ""})
            tell()

        try:
            async with asyncio.TaskGroup() as group:
                for name, (prompt, seed) in wanted.items():
                    group.create_task(one(name, prompt, seed))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
