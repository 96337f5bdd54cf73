"""Refusals in the form of the OpenAI API, for every route alike."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agents.assistant.checkpoints import NotKept
from agents.assistant.server.wire import Failure, Problem
from data_engine.errors import DataError, Refused

log = logging.getLogger("rerec.server")
TYPES = {401: "authentication_error", 429: "rate_limit_error"}
RETRY_SECONDS = 5
REFUSALS: dict[int | str, dict[str, Any]] = {  # what every route may answer, for its description
    "4XX": {"model": Problem, "description": "What was sent cannot be used."},
    "5XX": {"model": Problem, "description": "The assistant cannot answer at present."},
}
CODES = {401: "invalid_api_key", 413: "request_too_large", 429: "rate_limit_exceeded"}


class Unusable(Refused):
    """What was sent cannot be used (400 unless said otherwise): which part of it, and a code."""

    def __init__(
        self, detail: str, param: str | None = None, name: str = "", code: int = 400
    ) -> None:
        super().__init__(code, detail)
        self.param, self.name = param, name


def problem(refusal: Refused) -> dict[str, Any]:
    """The body of a refusal."""
    kind = TYPES.get(refusal.code)
    if kind is None:
        kind = "server_error" if refusal.code >= 500 else "invalid_request_error"
    name, param = CODES.get(refusal.code), None
    if isinstance(refusal, Unusable):
        name, param = refusal.name or name, refusal.param
    failure = Failure(message=str(refusal), type=kind, param=param, code=name)
    return Problem(error=failure).model_dump()


def handle_errors(app: FastAPI) -> None:
    """Every error of the application becomes a refusal."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(DataError, _data_error)
    app.add_exception_handler(NotKept, _not_kept)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failed)


def _answer(refusal: Refused) -> JSONResponse:
    return JSONResponse(problem(refusal), status_code=refusal.code, headers=refusal.headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return _answer(error)


async def _data_error(request: Request, error: Exception) -> JSONResponse:
    return _answer(Unusable(str(error)))


async def _not_kept(request: Request, error: Exception) -> JSONResponse:
    """The log says which database, and why; those who ask need not know."""
    log.error("a conversation cannot be kept or read: %s", error)
    detail = "conversations cannot be kept or read at present; try again later"
    return _answer(Refused(503, detail, {"retry-after": str(RETRY_SECONDS)}))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = _place(first["loc"])
    too_long = first["type"] in ("string_too_long", "too_long")
    name = "context_length_exceeded" if too_long else ""
    said = f"{place}: {first['msg']}" if place else str(first["msg"])
    return _answer(Unusable(said[:500], place or None, name))


def _place(parts: Sequence[int | str]) -> str:
    """ "messages.0.role" of what pydantic names with the part of the request first."""
    return ".".join(str(part) for part in parts[1:])[:200]


async def _failed(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has it."""
    return _answer(Refused(500, "the assistant failed at this request; its log says why"))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return _answer(Refused(error.status_code, str(error.detail), headers))
