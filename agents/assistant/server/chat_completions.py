"""The routes of the OpenAI chat API: any chat page can use the assistant as a model.

Nothing is kept: the whole dialogue is in each request.
"""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

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
from agents.assistant.server.wire import Problem, Recommend

STARTED = int(time.time())
router = APIRouter(prefix="/v1", responses={400: {"model": Problem}, 404: {"model": Problem}})


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


@router.post("/chat/completions", response_model=Completion)
async def chat_completions(service: TheService, request: ChatRequest) -> Response:
    """The answer to a dialogue, at once or as a stream of server-sent events."""
    request.check()
    dialogue = request.dialogue()
    text = side_answer(dialogue[-1].content)
    if text is None:
        asked = Recommend(messages=tuple(dialogue[:-1]), text=dialogue[-1].content)
        answer = await service.run(service.recommend, asked)
        text = answer.text
    usage = Usage.of(dialogue, text)
    facts = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": MODEL}
    if request.stream:
        with_usage = bool(request.stream_options and request.stream_options.include_usage)
        events = _events(facts, text, usage if with_usage else None)
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    choice = Choice(message={"role": "assistant", "content": text, "refusal": None})
    whole = Completion(**facts, choices=[choice], usage=usage)
    return Response(whole.model_dump_json(), media_type="application/json")


def _events(facts: dict[str, Any], text: str, usage: Usage | None) -> Iterator[str]:
    """The stream of an answer: who speaks, then its lines, then the end."""
    facts = {**facts, "object": "chat.completion.chunk"}

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        return f"data: {json.dumps({**facts, 'choices': choices, **more}, ensure_ascii=False)}\n\n"

    def chunk(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event([choice], **({"usage": None} if usage else {}))

    yield chunk({"role": "assistant", "content": ""})
    for line in text.splitlines(keepends=True):
        yield chunk({"content": line})
    yield chunk({}, "stop")
    if usage:
        yield event([], usage=usage.model_dump())
    yield "data: [DONE]\n\n"
