"""The routes through FastAPI: health, reload, metrics, the explorer page, documentation."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from data_engine.errors import RerecError
from data_engine.http.hangup import reload_on_hangup
from data_engine.http.page import page_headers
from data_engine.http.served import Facts
from data_engine.http.tokens import Scope
from reward_server.compat.tools import Shape, tool_schemas
from reward_server.errors import Refused, UnknownExamples
from reward_server.server.explorer import PAGE, describe, list_examples
from reward_server.server.metrics import Metrics
from reward_server.server.openapi import describe_endpoints
from reward_server.server.state import ServerState


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


Background = Callable[[], AbstractAsyncContextManager[None]]
Responses = dict[int | str, dict[str, Any]]
UNAUTHORISED: Responses = {401: {"model": Problem, "description": "No token of this scope"}}
MALFORMED: Responses = {422: {"model": Problem, "description": "Malformed request"}}
NOT_LOADED: Responses = {503: {"model": Problem, "description": "Could not be loaded"}}
NO_EXAMPLE: Responses = {404: {"model": Problem, "description": "No such Example"}}


@dataclass(frozen=True)
class Context:
    """What routes need of the server. explore: gold is shown to everybody who may ask."""

    state: ServerState
    metrics: Metrics
    explore: bool

    def allows(self, request: Request, scope: Scope) -> bool:
        """Whether the request has a token of that scope."""
        return self.state.tokens.allow(request.headers.get("authorization", ""), scope)

    def require(self, request: Request, scope: Scope) -> None:
        """Raise Refused (401) unless the request has a token of that scope, or none is needed."""
        self.state.tokens.check(request.headers.get("authorization", ""), scope)


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


ServerContext = Annotated[Context, Depends(_context)]


async def _require_score(context: ServerContext, request: Request) -> None:
    context.require(request, "score")


async def _require_admin(context: ServerContext, request: Request) -> None:
    context.require(request, "admin")


router = APIRouter()


@router.get("/health")
def health() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/ready")
def ready(context: ServerContext) -> dict[str, object]:
    """The snapshot is loaded: the digest of its graph, the number of Examples it can score, and the
    digest of its RecHead, null without one."""
    return context.state.snapshot.facts()


@router.post(
    "/v1/reload", dependencies=[Depends(_require_admin)], responses=UNAUTHORISED | NOT_LOADED
)
def reload(context: ServerContext) -> dict[str, object]:
    """Load store, tokens and RecHead again, without a pause for others, and say what is served
    then. 503 when that fails: the old ones stay."""
    found: Facts | None = context.state.reload()
    if found is None:
        raise Refused(
            503,
            "store, tokens or RecHead could not be loaded: "
            "the log says why; the old graph is still served",
        )
    return found


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(_require_score)])
async def prometheus(context: ServerContext) -> Response:
    """Metrics of all workers in Prometheus's text format."""
    return Response(context.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/", include_in_schema=False)
def explorer() -> Response:
    """The explorer page."""
    return Response(PAGE, media_type="text/html", headers=page_headers(PAGE))


@router.get("/v1/tools", dependencies=[Depends(_require_score)], responses=UNAUTHORISED)
def tools(context: ServerContext, shape: Shape = "chat") -> list[dict[str, Any]]:
    """JSON schemas of the look-ups as tools, to be sent to a model: `chat` for the Chat Completions
    API, `responses` for the Responses API. Calls go to /lookup and /holders."""
    return tool_schemas(context.state.snapshot.graph.relations, shape)


@router.get("/v1/examples", dependencies=[Depends(_require_score)], responses=UNAUTHORISED)
def examples(
    context: ServerContext,
    kind: str = "",
    search: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
) -> list[dict[str, Any]]:
    """Examples of the store, for the explorer page: id, kind, split and query."""
    return list_examples(context.state, kind or None, search, limit)


@router.get(
    "/v1/examples/{example_id}",
    dependencies=[Depends(_require_score)],
    responses=UNAUTHORISED | NO_EXAMPLE,
)
def example(context: ServerContext, request: Request, example_id: str) -> dict[str, Any]:
    """One Example with its candidates and the piece of the graph around it. Its gold, chains and
    conditions are shown to an admin's token, or, served with --explore, to everybody who may ask
    for scores."""
    show_gold = context.explore or context.allows(request, "admin")
    return describe(context.state, example_id, show_gold)


class Routes(FastAPI):
    """FastAPI with the endpoints that it does not serve in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """FastAPI's interface."""
        if self.openapi_schema is None:
            describe_endpoints(super().openapi())
        return super().openapi()


def make_routes(
    state: ServerState, metrics: Metrics, explore: bool, background: Background | None = None
) -> FastAPI:
    """All that is not scored or looked up. background: a context to serve in."""
    routes = Routes(
        title="rerec reward server",
        version="1",
        description="Dual-graph scores for recommendation responses.",
        lifespan=_reload_on_hangup,
        responses=MALFORMED,
    )
    routes.state.context = Context(state, metrics, explore)
    routes.state.background = background or nullcontext
    routes.add_exception_handler(RerecError, _refuse)
    routes.add_exception_handler(RequestValidationError, _refuse_parameter)
    routes.include_router(router)
    return routes


@asynccontextmanager
async def _reload_on_hangup(routes: FastAPI) -> AsyncIterator[None]:
    """A hang-up signal loads the store again, in a thread."""
    context: Context = routes.state.context
    with reload_on_hangup(context.state.reload):
        async with routes.state.background():
            yield


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Refused):
        code, headers = error.code, error.headers
    else:
        code, headers = 404 if isinstance(error, UnknownExamples) else 500, {}
    return JSONResponse({"detail": str(error)}, status_code=code, headers=headers)


async def _refuse_parameter(request: Request, error: Exception) -> JSONResponse:
    """As a body that is refused: in one line."""
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    return JSONResponse({"detail": f"{problem['loc'][-1]}: {problem['msg']}"}, status_code=422)
