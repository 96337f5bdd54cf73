"""The routes of the OpenAI chat API: any chat page can use the assistant as a model.

Nothing is kept: the whole dialogue is in each request.
"""

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from agents.assistant.answer import Message, Thought
from agents.assistant.server.chat_wire import (
    MODEL,
    ChatRequest,
    Choice,
    Completion,
    Model,
    Models,
    Usage,
)
from agents.assistant.server.problems import Unusable
from agents.assistant.server.service import Service
from agents.assistant.server.side_prompts import side_answer
from agents.assistant.server.wire import Recommend

EVENTS = "text/event-stream"
STARTED = int(time.time())
STREAMED = {"cache-control": "no-cache", "x-accel-buffering": "no"}  # headers of a stream
Delta = tuple[str, str]  # "reasoning_content" or "content", and its text
router = APIRouter(prefix="/v1")


async def service_of(request: Request) -> Service:
    """The service of the application that a request is sent to."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]


@router.get("/models")
async def models() -> Models:
    """The models there are: one."""
    return Models(data=[Model(created=STARTED)])


@router.get("/models/{name}")
async def model(name: str) -> Model:
    """One model."""
    if name != MODEL:
        raise Unusable(f"the model {name[:100]!r} does not exist", "model", "model_not_found", 404)
    return Model(created=STARTED)


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={200: {"content": {EVENTS: {}}, "description": "The answer, or its chunks."}},
)
async def chat_completions(service: TheService, request: ChatRequest) -> Response:
    """The answer to a dialogue, at once or as a stream of server-sent events."""
    request.check()
    dialogue = request.dialogue()
    facts = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": MODEL}
    events = _answered(service, dialogue)
    if request.stream:
        first = await anext(events)  # what cannot be answered is refused before the stream begins
        with_usage = bool(request.stream_options and request.stream_options.include_usage)
        chunks = _chunks(facts, first, events, dialogue, with_usage)
        return StreamingResponse(chunks, media_type=EVENTS, headers=STREAMED)
    *thoughts, (_, text) = [event async for event in events]
    message = {"role": "assistant", "content": text, "refusal": None}
    if thoughts:
        message["reasoning_content"] = "".join(thought for _, thought in thoughts)
    usage = Usage.of(dialogue, text)
    whole = Completion(**facts, choices=[Choice(message=message)], usage=usage)
    return Response(whole.model_dump_json(), media_type="application/json")


async def _answered(service: Service, dialogue: list[Message]) -> AsyncIterator[Delta]:
    """The reasoning of the policy piece by piece, where there is one, and last the answer.

    The two are kept apart, as chat pages know it from models that think: what is sent back as the
    dialogue so far is the graph's answer, and a policy's words are never read as the person's.
    """
    text = side_answer(dialogue[-1].content)
    if text is not None:
        yield "content", text
        return
    asked = Recommend(messages=tuple(dialogue[:-1]), text=dialogue[-1].content)
    async for event in service.stream(lambda listen: service.recommend(asked, listen)):
        if isinstance(event, Thought):
            yield "reasoning_content", event.text
        else:
            yield "content", event.text


async def _chunks(
    facts: dict[str, Any],
    first: Delta,
    events: AsyncIterator[Delta],
    dialogue: list[Message],
    with_usage: bool,
) -> AsyncIterator[str]:
    """The stream of an answer: who speaks, the reasoning, the lines of the answer, the end."""
    facts = {**facts, "object": "chat.completion.chunk"}

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        return f"data: {json.dumps({**facts, 'choices': choices, **more}, ensure_ascii=False)}\n\n"

    def chunk(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event([choice], **({"usage": None} if with_usage else {}))

    yield chunk({"role": "assistant", "content": ""})
    kind, text = first
    while kind != "content":
        yield chunk({kind: text})
        kind, text = await anext(events)
    for line in text.splitlines(keepends=True):
        yield chunk({"content": line})
    yield chunk({}, "stop")
    if with_usage:
        yield event([], usage=Usage.of(dialogue, text).model_dump())
    yield "data: [DONE]\n\n"
