"""The routes of the page and of the typed API."""

from collections.abc import AsyncIterator
from pathlib import Path as File
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from agents.assistant.answer import Answer, Thought
from agents.assistant.server.chat_completions import STREAMED, TheService
from agents.assistant.server.wire import (
    Conversation,
    Event,
    Opinion,
    Recommend,
    Say,
    Turn,
)
from data_engine.http.page import page_headers

PAGE = File(__file__).with_name("page.html").read_text(encoding="utf-8")
# Of a conversation; whoever knows it may read on, so that a page draws it at random.
Thread = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
router = APIRouter()
LINES = "application/x-ndjson"


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """The page."""
    return Response(PAGE, media_type="text/html", headers=page_headers(PAGE))


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/metrics", include_in_schema=False)
async def prometheus(service: TheService) -> Response:
    """Metrics of all workers in Prometheus's text format."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.post("/v1/recommend")
async def recommend(service: TheService, asked: Recommend) -> Answer:
    """The answer to a question; nothing is kept: pass its state back with the next message."""
    return await service.run(service.recommend, asked)


@router.post("/v1/conversations/{thread}")
async def say(service: TheService, thread: Thread, said: Say) -> Turn:
    """The next turn of a kept conversation, which begins with its first."""
    return await service.run(service.say, thread, said)


@router.post(
    "/v1/conversations/{thread}/stream",
    response_model=Event,
    responses={200: {"content": {LINES: {}}, "description": "One object per line."}},
)
async def stream(service: TheService, thread: Thread, said: Say) -> Response:
    """As the next turn: one JSON object per line, the thoughts of the policy as they come, then
    the turn.
    """
    events = service.stream(lambda listen: service.say(thread, said, listen))
    first = await anext(events)  # what cannot be answered is refused before the stream begins

    async def lines() -> AsyncIterator[str]:
        yield _line(first)
        async for event in events:
            yield _line(event)

    return StreamingResponse(lines(), media_type=LINES, headers=STREAMED)


def _line(event: Thought | Turn) -> str:
    whole = Event(turn=event) if isinstance(event, Turn) else Event(thought=event)
    return whole.model_dump_json(exclude_none=True) + "\n"


@router.post("/v1/conversations/{thread}/feedback")
async def judge(service: TheService, thread: Thread, opinion: Opinion) -> Turn:
    """Keep whether an item was liked, and go on with the conversation."""
    return await service.run(service.judge, thread, opinion)


@router.get("/v1/conversations/{thread}")
async def conversation(service: TheService, thread: Thread) -> Conversation:
    """The last turns of a kept conversation."""
    return await service.run(service.conversation, thread)


@router.delete("/v1/conversations/{thread}", status_code=204)
async def forget(service: TheService, thread: Thread) -> None:
    """Keep nothing of a conversation."""
    await service.run(service.forget, thread)
