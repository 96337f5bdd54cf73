"""The routes of the page and of the typed API."""

from pathlib import Path as File
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from agents.assistant.answer import Answer
from agents.assistant.server.chat_completions import TheService
from agents.assistant.server.wire import Conversation, Opinion, Problem, Recommend, Say, Turn
from data_engine.http.page import page_headers

PAGE = File(__file__).with_name("page.html").read_text(encoding="utf-8")
# Of a conversation; whoever knows it may read on, so that a page draws it at random.
Thread = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
router = APIRouter(responses={400: {"model": Problem}})


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
