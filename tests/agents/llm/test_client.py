"""The client of endpoints: breaker, retries, structured answers, secrets, cache."""

import asyncio
import json
import os

import httpx
import openai
import pytest

from agents.llm import breaker as breaker_module
from agents.llm.breaker import Breaker
from agents.llm.cache import AnswerCache
from agents.llm.client import ChatClient
from agents.llm.errors import EndpointDown, NotRecorded
from agents.llm.retry import pause
from agents.llm.structured import object_in
from agents.synthesis.chat_config import ChatConfig
from agents.synthesis.prompts import Prompt
from agents.synthesis.writers.chat import Turns, chat_request


def test_a_breaker_waits_then_gives_up(monkeypatch):
    monkeypatch.setattr(breaker_module, "FIRST_PAUSE", 0.0)

    async def fail():
        breaker = Breaker()
        for _ in range(breaker_module.FAILURES * breaker_module.OPENINGS):
            await breaker.failed()
        await breaker.ready()  # still hoping
        for _ in range(breaker_module.FAILURES):
            await breaker.failed()
        with pytest.raises(EndpointDown, match="in a row"):
            await breaker.ready()
        breaker.succeeded()
        await breaker.ready()

    asyncio.run(fail())


def test_the_breaker_holds_calls_back_while_it_is_open(monkeypatch):
    monkeypatch.setattr(breaker_module, "FIRST_PAUSE", 3600.0)

    async def hold():
        breaker = Breaker()
        for _ in range(breaker_module.FAILURES - 1):
            await breaker.failed()
        await breaker.ready()
        opening = asyncio.create_task(breaker.failed())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(breaker.ready())
        await asyncio.sleep(0)
        assert not waiting.done()
        opening.cancel()
        waiting.cancel()

    asyncio.run(hold())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('Sure!\n```json\n{"a": {"b": 2}}\n``` Enjoy.', '{"a": {"b": 2}}'),
        ("no object", "no object"),
        ("} {", "} {"),
    ],
)
def test_an_object_is_found_in_talk(text, found):
    assert object_in(text) == found


def test_retry_after_is_obeyed_up_to_a_limit():
    def told(after):
        response = httpx.Response(
            429, headers={"retry-after": after}, request=httpx.Request("POST", "http://x")
        )
        error = openai.RateLimitError("slow down", response=response, body=None)
        outcome = type("Outcome", (), {"exception": lambda self: error})()
        return pause(type("State", (), {"outcome": outcome, "attempt_number": 1})())

    assert told("3") == 3.0 and told("9999") == 30.0 and 0 <= told("soon") <= 0.25


def test_a_secret_is_read_from_the_environment_and_stands_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    chat = ChatConfig(writer="m", key_env="MY_KEY")
    with AnswerCache(tmp_path / "a.sqlite") as answers:
        client = ChatClient(chat, answers)
        assert "sk-very-secret" not in repr(chat) + json.dumps(chat.model_dump()) + str(
            vars(client)
        )
        asyncio.run(client.__aexit__())
    assert (
        "sk-very-secret" not in (tmp_path / "a.sqlite").read_bytes().decode("latin-1")
        and os.environ["MY_KEY"]
    )


def test_an_answer_is_asked_for_once(tmp_path):
    """A recorded answer is given again for the same words and salt, and for no others."""
    config, prompt = ChatConfig(writer="m", replay=True), Prompt("s", "u")

    async def ask(answers, salt):
        request = chat_request(config, "writer", prompt, Turns, salt)
        async with ChatClient(config, answers) as client:
            return await client.answer(request, Turns)

    with AnswerCache(tmp_path / "a.sqlite") as answers:
        with pytest.raises(NotRecorded) as missing:
            asyncio.run(ask(answers, 1))
        key = str(missing.value).split("(")[1].split(")")[0]
        answers.put(key, "writer", "m", '{"turns": ["Hello"]}')
        assert asyncio.run(ask(answers, 1)).turns == ["Hello"]
        with pytest.raises(NotRecorded):
            asyncio.run(ask(answers, 2))
