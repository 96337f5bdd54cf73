"""The answer of a model behind an endpoint, piece by piece as it is written."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import httpx
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from agents.llm.config import Connection
from agents.llm.errors import EndpointDown, EndpointRefused
from agents.llm.request import Message
from agents.llm.retry import error_name, is_transient

BEFORE, AFTER = "<think>\n", "\n</think>\n\n"  # around what comes apart as thoughts


def stream_text(
    connection: Connection, model: str, messages: Sequence[Message], most_tokens: int
) -> Iterator[str]:
    """The answer to a chat, greedily decoded, of at most so many tokens.

    Nothing is tried again: who reads along would see the beginning twice. Thoughts that the
    endpoint gives apart stand in think tags. Raises EndpointDown where the endpoint fails or stops
    in the middle, EndpointRefused where it refuses.
    """
    url = connection.base_url
    try:
        with openai.OpenAI(
            base_url=url,
            api_key=os.environ.get(connection.key_env) or "none",  # local endpoints need none
            max_retries=0,
            timeout=connection.timeout,
        ) as client:
            chunks = client.chat.completions.create(
                model=model,
                messages=cast("list[ChatCompletionMessageParam]", list(messages)),
                temperature=0,
                max_tokens=most_tokens,
                stream=True,
            )
            with chunks:
                yield from _texts(chunks, url)
    except openai.APIStatusError as error:
        said = f"({error.status_code}): {str(error.message)[:200]}"
        kind = EndpointDown if is_transient(error) else EndpointRefused
        raise kind(f"{url} refuses model {model!r} {said}") from error
    except (openai.APIError, httpx.HTTPError, ValueError) as error:
        raise EndpointDown(f"{url} failed ({error_name(error)})") from error


def _texts(chunks: Iterable[ChatCompletionChunk], url: str) -> Iterator[str]:
    """The texts of a stream. Raises EndpointDown where it ends before its answer does."""
    thinks, ended = False, False
    for chunk in chunks:
        for choice in chunk.choices[:1]:
            ended = ended or choice.finish_reason is not None
            thought = getattr(choice.delta, "reasoning_content", None) or ""
            said = choice.delta.content or ""
            if thought:
                yield thought if thinks else BEFORE + thought
                thinks = True
            if said:
                yield AFTER + said if thinks else said
                thinks = False
    if not ended:
        raise EndpointDown(f"{url} stopped in the middle of an answer")
