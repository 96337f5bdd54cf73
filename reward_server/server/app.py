"""The server's ASGI application: `/v1/score` bare and fast, the rest through FastAPI, which also documents it all."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from data_engine.errors import RerecError
from data_engine.runtime.config import Config
from reward_server.errors import Refused, UnknownExamples
from reward_server.server.endpoint import HeadEndpoint, LookEndpoint, ScoreEndpoint
from reward_server.server.explorer import PAGE, describe, listing, policy
from reward_server.server.live import Live, settle
from reward_server.server.metrics import Metrics
from reward_server.snapshot import Snapshot
from reward_server.wire import (
    HeadRequest,
    HeadResponse,
    LookRequest,
    LookResponse,
    ScoreRequest,
    ScoreResponse,
)


class ServeConfig(Config):
    """What a server serves and within which limits: bytes of a body, requests at once, seconds for one of them."""

    store: Path
    rechead: Path | None = None
    tokens: Path | None = None
    explore: bool = False  # show gold to whoever may ask for scores, not only to an admin
    most_bytes: int = Field(64 * 2**20, ge=1024)
    at_once: int = Field(64, ge=1)
    seconds: float = Field(30.0, gt=0)


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


REFUSED = {401: {"model": Problem, "description": "No token of this scope"}}


class App:
    """ASGI: scores and looks up itself, hands everything else to FastAPI."""

    def __init__(self, live: Live, config: ServeConfig, metrics: Metrics) -> None:
        self.live = live
        limits = {
            "most_bytes": config.most_bytes,
            "at_once": config.at_once,
            "seconds": config.seconds,
        }
        kinds = {
            "/v1/score": ScoreEndpoint,
            "/v1/rechead/score": HeadEndpoint,
            "/v1/look": LookEndpoint,
        }
        self.own = {path: kind(live, metrics, **limits) for path, kind in kinds.items()}
        self.rest = _rest(live, metrics, config.explore)

    async def __call__(
        self,
        scope: dict,
        receive: Callable[[], Awaitable[dict]],
        send: Callable[[dict], Awaitable[None]],
    ) -> None:
        """The ASGI interface."""
        path = scope["path"] if scope["type"] == "http" else ""
        await self.own.get(path, self.rest)(scope, receive, send)


def load_app(config: ServeConfig, metrics: Metrics) -> App:
    """Load the snapshot and build the application, all but its RecHead (see `Snapshot.start_head`): this process may be forked. Raises DataError
    when there is nothing to serve."""
    live = Live(
        config.store, Snapshot.load(config.store, config.rechead), config.rechead, config.tokens
    )
    app = App(live, config, metrics)
    settle()
    return app


def make_app(config: ServeConfig, metrics: Metrics | None = None) -> App:
    """The whole application, for one process. Raises DataError when there is nothing to serve."""
    app = load_app(config, metrics or Metrics())
    app.live.snapshot.start_head()
    return app


def _rest(live: Live, metrics: Metrics, explore: bool) -> FastAPI:
    @asynccontextmanager
    async def reload_on_hangup(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        with suppress(
            ValueError, RuntimeError, NotImplementedError
        ):  # not in the main thread: /v1/reload still works
            loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, live.reload))
        yield

    app = FastAPI(
        title="rerec reward server",
        version="1",
        description="Dual-graph scores for recommendation responses.",
        lifespan=reload_on_hangup,
    )

    @app.exception_handler(RerecError)
    async def refuse(_: Request, error: RerecError) -> JSONResponse:
        code, headers = (
            (error.code, error.headers)
            if isinstance(error, Refused)
            else (404 if isinstance(error, UnknownExamples) else 500, {})
        )
        return JSONResponse({"detail": str(error)}, status_code=code, headers=headers)

    def needs_admin(request: Request) -> None:
        live.tokens.check(request.headers.get("authorization", ""), "admin")

    def needs_score(request: Request) -> None:
        live.tokens.check(request.headers.get("authorization", ""), "score")

    @app.get("/health")
    def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/ready")
    def ready() -> dict[str, object]:
        """The snapshot is loaded: its graph digest, how many Examples it can score, and the digest of its RecHead, null without one."""
        return live.snapshot.facts()

    @app.post(
        "/v1/reload",
        dependencies=[Depends(needs_admin)],
        responses=REFUSED | {503: {"model": Problem, "description": "Could not be loaded"}},
    )
    def reload() -> dict[str, object]:
        """Load store, tokens and RecHead again, without a pause for others, and say what is served then; 503 when that fails: the old ones stay."""
        found = live.reload()
        if found is None:
            raise Refused(
                503,
                "store, tokens or RecHead could not be loaded: the log says why; the old graph is still served",
            )
        return found

    @app.get("/metrics", include_in_schema=False, dependencies=[Depends(needs_score)])
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", include_in_schema=False)
    def explorer() -> Response:
        return Response(
            PAGE,
            media_type="text/html",
            headers={"content-security-policy": policy(PAGE), "x-content-type-options": "nosniff"},
        )

    @app.get("/v1/examples", dependencies=[Depends(needs_score)], responses=REFUSED)
    def examples(
        kind: str = "",
        search: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 60,
    ) -> list[dict]:
        """Examples of the store, for the explorer page: id, kind, split and query."""
        return listing(live, kind or None, search, limit)

    @app.get(
        "/v1/examples/{example_id}",
        dependencies=[Depends(needs_score)],
        responses=REFUSED | {404: {"model": Problem, "description": "No such Example"}},
    )
    def example(request: Request, example_id: str) -> dict:
        """One Example with its candidates and the piece of the graph around it. Its gold, chains and conditions are shown to an admin's token, or,
        served with --explore, to whoever may ask for scores."""
        return describe(
            live,
            example_id,
            gold=explore or live.tokens.allow(request.headers.get("authorization", ""), "admin"),
        )

    app.openapi = lambda: _schema(app)
    return app


def _schema(app: FastAPI) -> dict:
    """FastAPI's own OpenAPI document with the score endpoint's types added."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        kinds = (ScoreRequest, ScoreResponse, HeadRequest, HeadResponse, LookRequest, LookResponse)
        (*score, head_request, head_response, look_request, look_response), parts = (
            msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
        )
        document["paths"]["/v1/score"] = _described("Score 1 to 1024 responses", "score", *score)
        about = "Rank the catalogue by history, chain of thought and answer (needs --rechead)"
        document["paths"]["/v1/rechead/score"] = _described(
            about, "rechead", head_request, head_response
        )
        about = "Look up what items have, and which have a value, for a policy that asks while it thinks"
        document["paths"]["/v1/look"] = _described(about, "look", look_request, look_response)
        document.setdefault("components", {}).setdefault("schemas", {}).update(parts)
    return app.openapi_schema


def _described(summary: str, operation: str, request: dict, response: dict) -> dict:
    """One guarded endpoint in OpenAPI's words."""
    problem = {
        "type": "object",
        "properties": {"detail": {"type": "string"}},
        "required": ["detail"],
    }
    answers = {"200": ("Scores in request order", response)} | {
        code: (why, problem)
        for code, why in (
            ("400", "The body does not decode"),
            ("401", "No token of this scope"),
            ("404", "Unknown ids, or no RecHead here"),
            ("408", "The body came too slowly"),
            ("409", "The server holds another graph or head"),
            ("411", "No Content-Length"),
            ("413", "The body is too large"),
            ("415", "Unknown content encoding"),
            ("422", "Malformed request"),
            ("429", "Too many requests at once"),
            ("503", "Not scored within the deadline"),
        )
    }
    return {
        "post": {
            "summary": summary,
            "operationId": operation,
            "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
            "responses": {
                c: {"description": why, "content": {"application/json": {"schema": s}}}
                for c, (why, s) in answers.items()
            },
        }
    }
