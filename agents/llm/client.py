"""One question to a language model, answered as a checked JSON object, from the cache where it was asked before."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import openai
from aiolimiter import AsyncLimiter
from pydantic import BaseModel, ValidationError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from agents.errors import BudgetSpent, EndpointDown, NotRecorded, Unwritable
from agents.llm.answers import Answers
from agents.llm.breaker import Breaker
from agents.llm.config import ChatConfig, Role
from agents.synthesis.prompts import Prompt
from data_engine.schema import content_hash

REPAIRS, LONGEST_WAIT = 2, 30.0
REPAIR = "That is no JSON object of the form {form} ({error}). Answer with that object alone."
_TRANSIENT = (
    openai.RateLimitError,
    openai.InternalServerError,
    openai.APIConnectionError,
    openai.APIResponseValidationError,
    ValueError,
)
_BACKOFF = wait_random_exponential(multiplier=0.25, max=LONGEST_WAIT)
Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class Call:
    """One HTTP call as the ledger keeps it; status is ok, or the name of what went wrong."""

    role: Role
    model: str
    tokens_in: int
    tokens_out: int
    money: float
    seconds: float
    status: str


class Chat:
    """Asks the endpoint within its limits. `spent` are tokens and money of this run so far; `note` hears of every call."""

    def __init__(
        self,
        config: ChatConfig,
        answers: Answers,
        spent: tuple[int, float],
        note: Callable[[Call], None],
    ) -> None:
        self.config, self.answers, self.note = config, answers, note
        self.tokens, self.money = spent
        self.reserved_tokens, self.reserved_money = 0, 0.0
        self._breaker = Breaker()
        self._slots = asyncio.Semaphore(config.concurrency)
        self._limiter = AsyncLimiter(config.per_minute, 60) if config.per_minute else None
        self._structured = config.structured
        key = os.environ.get(config.key_env) or "none"  # local endpoints need none
        self._client = openai.AsyncOpenAI(
            base_url=config.base_url, api_key=key, max_retries=0, timeout=config.timeout
        )

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def ask(self, role: Role, prompt: Prompt, form: type[Answer], salt: int) -> Answer:
        """The model's answer as a `form`; `salt` tells apart tries with the same words.

        Raises Unwritable when it refuses or gives no such object after REPAIRS repairs, and the errors that stop a run.
        """
        model = self.config.model(role)
        key = content_hash(
            [model, prompt.system, prompt.user, _schema(form), self.config.temperature, salt], 32
        )
        if (kept := self.answers.get(key)) is not None:
            return form.model_validate_json(kept)
        if self.config.replay:
            raise NotRecorded(
                f"no answer is recorded for this {role} prompt ({key}): run it once without --replay"
            )
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ]
        for _ in range(REPAIRS + 1):
            text = await self._say(role, model, messages, form)
            try:
                answer = form.model_validate_json(_object_in(text))
            except ValidationError as error:
                wrong = f"{error.errors()[0]['msg']}"[:200]
                shape = ", ".join(form.model_fields)
                messages += [
                    {"role": "assistant", "content": text[:4000]},
                    {"role": "user", "content": REPAIR.format(form=f"{{{shape}}}", error=wrong)},
                ]
                continue
            self.answers.put(key, role, model, answer.model_dump_json())
            return answer
        raise Unwritable(f"the {role} gave no usable answer")

    async def _say(
        self, role: Role, model: str, messages: list[dict], form: type[BaseModel]
    ) -> str:
        """The text of one answered call, after as many retries as allowed."""
        attempts = AsyncRetrying(
            stop=stop_after_attempt(self.config.retries + 1),
            wait=_pause,
            retry=retry_if_exception_type(_TRANSIENT),
            reraise=True,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    return await self._call(role, model, messages, form)
        except _TRANSIENT as error:
            raise EndpointDown(
                f"{self.config.base_url} failed {self.config.retries + 1} times for one prompt ({_name(error)})"
            ) from error
        except openai.APIStatusError as error:
            raise EndpointDown(
                f"{self.config.base_url} refuses model {model!r} ({error.status_code}): {str(error.message)[:200]}"
            ) from error
        raise AssertionError("unreachable")

    async def _call(
        self, role: Role, model: str, messages: list[dict], form: type[BaseModel]
    ) -> str:
        await self._breaker.ready()
        if self._limiter:
            await self._limiter.acquire()
        async with self._slots:
            return await self._post(role, model, messages, form)

    async def _post(
        self, role: Role, model: str, messages: list[dict], form: type[BaseModel]
    ) -> str:
        reserve = self._reserve(messages)
        start, usage, status = time.perf_counter(), None, "ok"
        extra = {"response_format": _schema(form)} if self._structured else None
        try:
            done = await self._client.chat.completions.create(
                model=model,
                messages=messages,
                temperature=self.config.temperature,
                max_tokens=self.config.most_tokens,
                extra_body=extra,
            )
            usage = done.usage
            choice = done.choices[0] if done.choices else None
            if (
                choice is None
                or choice.finish_reason == "content_filter"
                or getattr(choice.message, "refusal", None)
            ):
                status = "refused"
                raise Unwritable(f"the {role} refused")
            self._breaker.succeeded()
            return choice.message.content or ""
        except openai.BadRequestError as error:
            status = _name(error)
            if not (extra and "response_format" in str(error.message)):
                raise
            self._structured = False  # this endpoint offers none: ask for plain JSON from now on
            raise ValueError("no structured outputs") from error
        except (*_TRANSIENT, openai.APIStatusError) as error:
            status = _name(error)
            if not isinstance(error, openai.RateLimitError):
                await self._breaker.failed()
            raise
        finally:
            self._settle(reserve, role, model, usage, time.perf_counter() - start, status)

    def _reserve(self, messages: list[dict]) -> tuple[int, float]:
        """Set the most that the call can cost aside. Raises BudgetSpent when that would overrun the budget."""
        into = (
            sum(len(m["content"].encode()) for m in messages) // 2 + 16
        )  # no tokenizer makes more of a text than a token for two bytes, nearly
        tokens, money = into + self.config.most_tokens, self._price(into, self.config.most_tokens)
        budget = self.config
        if (
            budget.budget_tokens is not None
            and self.tokens + self.reserved_tokens + tokens > budget.budget_tokens
        ):
            raise BudgetSpent(
                f"the budget of {budget.budget_tokens} tokens is spent ({self.tokens} used): raise it to go on"
            )
        if (
            budget.budget_money is not None
            and self.money + self.reserved_money + money > budget.budget_money
        ):
            raise BudgetSpent(
                f"the budget of {budget.budget_money:g} is spent ({self.money:.4f} used): raise it to go on"
            )
        self.reserved_tokens += tokens
        self.reserved_money += money
        return tokens, money

    def _settle(
        self,
        reserve: tuple[int, float],
        role: Role,
        model: str,
        usage: object,
        seconds: float,
        status: str,
    ) -> None:
        self.reserved_tokens -= reserve[0]
        self.reserved_money -= reserve[1]
        into, out = (
            getattr(usage, name, 0) or 0 for name in ("prompt_tokens", "completion_tokens")
        )
        money = self._price(into, out)
        self.tokens, self.money = self.tokens + into + out, self.money + money
        self.note(Call(role, model, into, out, money, seconds, status))

    def _price(self, into: int, out: int) -> float:
        return (into * self.config.price_in + out * self.config.price_out) / 1e6


def _pause(state: RetryCallState) -> float:
    """As long as Retry-After says, else longer and longer with jitter."""
    error = state.outcome.exception() if state.outcome else None
    told = (
        error.response.headers.get("retry-after", "")
        if isinstance(error, openai.APIStatusError)
        else ""
    )
    return min(float(told), LONGEST_WAIT) if told.replace(".", "", 1).isdigit() else _BACKOFF(state)


def _object_in(text: str) -> str:
    """The outermost braces and what is between them: models like to talk around their JSON."""
    return text[text.find("{") : text.rfind("}") + 1] or text


@cache
def _schema(form: type[BaseModel]) -> dict[str, object]:
    return {
        "type": "json_schema",
        "json_schema": {
            "name": form.__name__.lower(),
            "schema": form.model_json_schema(),
            "strict": True,
        },
    }


def _name(error: Exception) -> str:
    return (
        f"HTTP {error.status_code}"
        if isinstance(error, openai.APIStatusError)
        else type(error).__name__
    )
