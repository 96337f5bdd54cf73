"""The client: one request in, a text or a checked JSON object out, from the cache where it is."""

import os
import time
from asyncio import Semaphore
from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

import openai
from aiolimiter import AsyncLimiter
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.completion_usage import CompletionUsage
from pydantic import BaseModel, ValidationError

from agents.llm.breaker import Breaker
from agents.llm.budget import Budget, Cost
from agents.llm.cache import AnswerCache
from agents.llm.config import ClientConfig
from agents.llm.errors import EndpointDown, EndpointRefused, NotRecorded, UnusableAnswer
from agents.llm.request import Call, ChatRequest, Reply
from agents.llm.retry import error_name, is_transient, retrying
from agents.llm.structured import REPAIRS, object_in, repair, response_format

Form = TypeVar("Form", bound=BaseModel)


def ignore_call(call: Call) -> None:
    """Keep no account of calls."""


class ChatClient:
    """Asks an endpoint within its limits; use with `async with`.

    spent: tokens and money of this run so far. on_call: called after every HTTP call.
    """

    def __init__(
        self,
        config: ClientConfig,
        cache: AnswerCache,
        spent: tuple[int, float] = (0, 0.0),
        on_call: Callable[[Call], None] = ignore_call,
    ) -> None:
        self.config, self.cache, self.on_call = config, cache, on_call
        self.budget = Budget(config, *spent)
        self._breaker = Breaker()
        self._slots = Semaphore(config.concurrency)
        self._limiter = AsyncLimiter(config.per_minute, 60) if config.per_minute else None
        self._structured = config.structured
        key = os.environ.get(config.key_env) or "none"  # local endpoints need none
        self._client = openai.AsyncOpenAI(
            base_url=config.base_url, api_key=key, max_retries=0, timeout=config.timeout
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def text(self, request: ChatRequest) -> str:
        """The model's answer; a refusal is an answer too.

        Raises NotRecorded, BudgetSpent, and EndpointDown or its branch EndpointRefused.
        """
        if (cached := self._cached(request)) is not None:
            return cached
        reply = await self._send(request, None)
        self.cache.put(request.key, request.role, request.model, reply.text)
        return reply.text

    async def answer(self, request: ChatRequest, form: type[Form]) -> Form:
        """The model's answer as a `form`.

        Raises UnusableAnswer when the model refuses or gives no such object after REPAIRS
        repairs, and what `text` raises.
        """
        if (cached := self._cached(request)) is not None:
            return form.model_validate_json(cached)
        asked = request
        for _ in range(REPAIRS + 1):
            reply = await self._send(asked, form)
            if reply.refused:
                raise UnusableAnswer(f"the {request.role} refused")
            try:
                answer = form.model_validate_json(object_in(reply.text))
            except ValidationError as error:
                asked = asked.followed_by(*repair(form, reply.text, error))
                continue
            self.cache.put(request.key, request.role, request.model, answer.model_dump_json())
            return answer
        raise UnusableAnswer(f"the {request.role} gave no usable answer")

    def _cached(self, request: ChatRequest) -> str | None:
        found = self.cache.get(request.key)
        if found is None and self.config.replay:
            raise NotRecorded(
                f"no answer is recorded for this {request.role} prompt ({request.key}): "
                "run it once without --replay"
            )
        return found

    async def _send(self, request: ChatRequest, form: type[BaseModel] | None) -> Reply:
        """The reply to one request, after as many tries as allowed."""
        try:
            async for attempt in retrying(self.config.retries):
                with attempt:
                    return await self._call(request, form)
        except (openai.APIError, ValueError) as error:
            raise self._stopped(request, error) from error
        raise AssertionError("unreachable")

    def _stopped(self, request: ChatRequest, error: openai.APIError | ValueError) -> EndpointDown:
        """The error that ends a run, for the last failure of a call."""
        url = self.config.base_url
        if isinstance(error, openai.APIStatusError) and not is_transient(error):
            return EndpointRefused(
                f"{url} refuses model {request.model!r} ({error.status_code}): "
                f"{str(error.message)[:200]}"
            )
        tries = self.config.retries + 1
        return EndpointDown(f"{url} failed {tries} times for one prompt ({error_name(error)})")

    async def _call(self, request: ChatRequest, form: type[BaseModel] | None) -> Reply:
        await self._breaker.ready()
        if self._limiter:
            await self._limiter.acquire()
        async with self._slots:
            return await self._post(request, form)

    async def _post(self, request: ChatRequest, form: type[BaseModel] | None) -> Reply:
        """One HTTP call within the budget, counted by breaker and budget however it ends."""
        reserved = self.budget.reserve(request.messages, request.max_tokens)
        start, usage, status = time.perf_counter(), None, "ok"
        extra = {"response_format": response_format(form)} if form and self._structured else None
        try:
            completion = await self._create(request, extra)
            usage, reply = completion.usage, _reply(completion)
            status = "refused" if reply.refused else "ok"
            self._breaker.succeeded()
            return reply
        except openai.BadRequestError as error:
            status = error_name(error)
            if not (extra and "response_format" in str(error.message)):
                raise
            self._structured = False  # this endpoint offers none: ask for plain JSON from now on
            raise ValueError("no structured outputs") from error
        except (openai.APIError, ValueError) as error:
            status = error_name(error)
            if not isinstance(error, openai.RateLimitError):
                await self._breaker.failed()
            raise
        finally:
            self._account(request, reserved, usage, time.perf_counter() - start, status)

    async def _create(self, request: ChatRequest, extra: dict[str, Any] | None) -> ChatCompletion:
        return await self._client.chat.completions.create(
            model=request.model,
            messages=cast("list[ChatCompletionMessageParam]", list(request.messages)),
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            seed=openai.omit if request.seed is None else request.seed,
            top_p=openai.omit if request.top_p is None else request.top_p,
            extra_body=extra,
        )

    def _account(
        self,
        request: ChatRequest,
        reserved: Cost,
        usage: CompletionUsage | None,
        seconds: float,
        status: str,
    ) -> None:
        tokens_in = (usage.prompt_tokens if usage else 0) or 0
        tokens_out = (usage.completion_tokens if usage else 0) or 0
        money = self.budget.price(tokens_in, tokens_out)
        self.budget.spend(reserved, Cost(tokens_in + tokens_out, money))
        self.on_call(
            Call(request.role, request.model, tokens_in, tokens_out, money, seconds, status)
        )


def _reply(completion: ChatCompletion) -> Reply:
    """The first choice; none, a content filter or a stated refusal count as refused."""
    choice = completion.choices[0] if completion.choices else None
    if choice is None:
        return Reply("", refused=True)
    refusal = getattr(choice.message, "refusal", None)
    refused = choice.finish_reason == "content_filter" or bool(refusal)
    return Reply(choice.message.content or refusal or "", refused)
