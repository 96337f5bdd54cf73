"""The assistant's ASGI application: guards first, then the routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from agents.assistant.server import chat_completions, routes
from agents.assistant.server.config import AssistantConfig
from agents.assistant.server.metrics import AskMetrics
from agents.assistant.server.problems import REFUSALS, handle_errors, problem
from agents.assistant.server.service import OpenPolicy, Service
from data_engine.http.guard import Guard
from data_engine.http.hangup import reload_on_hangup
from data_engine.http.reception import Reception
from data_engine.http.served import Facts, ReloadAll, freeze_loaded_objects
from data_engine.http.tokens import Tokens

OPEN = frozenset({"/", "/health"})  # without a token


class App:
    """ASGI. open_policy: gives the policy that reasons, in the process that serves. Raises
    DataError where there is nothing to serve, or no token file.
    """

    def __init__(
        self, config: AssistantConfig, metrics: AskMetrics, open_policy: OpenPolicy | None = None
    ) -> None:
        self.service = Service(config, metrics, open_policy)
        self._routes = _make_routes(self.service)
        self._guard = Guard(
            self._routes,
            Reception(most_bytes=config.most_bytes, at_once=config.at_once, seconds=config.seconds),
            metrics,
            tokens=Tokens.load(config.tokens) if config.tokens else Tokens(),
            scope="ask",
            open_paths=OPEN,
            hosts=config.names,
            problem=problem,
        )
        freeze_loaded_objects()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        await self._guard(scope, receive, send)

    def start(self, reload_all: ReloadAll | None = None) -> None:
        """As `ServedApp`."""
        self.service.start()

    def facts(self) -> Facts:
        """As `ServedApp`."""
        return {"items": self.service.assistant.size}


def _make_routes(service: Service) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with reload_on_hangup(service.reload):
            yield

    app = FastAPI(
        title="rerec assistant",
        version="1",
        description="Recommendations over a catalogue, each held against its graph.",
        lifespan=lifespan,
        docs_url=None,  # their page would load scripts of another site
        redoc_url=None,
        responses=REFUSALS,
    )
    app.state.service = service
    handle_errors(app)
    app.include_router(routes.router)
    app.include_router(chat_completions.router)
    return app
