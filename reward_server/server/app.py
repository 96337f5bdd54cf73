"""The server's ASGI application: scores and look-ups bare and fast, the rest through FastAPI."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from data_engine.http.served import Facts, ReloadAll, freeze_loaded_objects
from reward_server.server.compat_endpoints import (
    AggregateEndpoint,
    HoldersEndpoint,
    LookupEndpoint,
    OpenRLHFEndpoint,
    SeedEndpoint,
    SlimeEndpoint,
    VerifyEndpoint,
)
from reward_server.server.config import ServeConfig
from reward_server.server.endpoint import Endpoint
from reward_server.server.mcp_endpoint import McpEndpoint
from reward_server.server.metrics import Metrics
from reward_server.server.routes import make_routes
from reward_server.server.scoring_endpoints import HeadEndpoint, LookEndpoint, ScoreEndpoint
from reward_server.server.state import ServerState
from reward_server.snapshot import Snapshot

ENDPOINTS: dict[str, type[Endpoint[Any]]] = {
    "/v1/score": ScoreEndpoint,
    "/v1/rechead/score": HeadEndpoint,
    "/v1/look": LookEndpoint,
    "/compat/openrlhf": OpenRLHFEndpoint,
    "/compat/slime": SlimeEndpoint,
    "/seed_session": SeedEndpoint,
    "/verify": VerifyEndpoint,
    "/aggregate_metrics": AggregateEndpoint,
    "/lookup": LookupEndpoint,
    "/holders": HoldersEndpoint,
}


class App:
    """ASGI: answers the paths of ENDPOINTS itself, and /mcp; hands the rest to FastAPI."""

    def __init__(self, state: ServerState, config: ServeConfig, metrics: Metrics) -> None:
        self.state = state
        self.endpoints: dict[str, ASGIApp] = {
            path: endpoint(
                state,
                metrics,
                most_bytes=config.most_bytes,
                at_once=config.at_once,
                seconds=config.seconds,
            )
            for path, endpoint in ENDPOINTS.items()
        }
        background = None
        if config.mcp:
            self.endpoints["/mcp"] = mcp = McpEndpoint(state, metrics, config)
            background = mcp.run
        self.rest = make_routes(state, metrics, config.explore, background)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        path = scope["path"] if scope["type"] == "http" else ""
        await self.endpoints.get(path, self.rest)(scope, receive, send)

    def start(self, reload_all: ReloadAll | None = None) -> None:
        """As `ServedApp`: the RecHead starts in the process that uses it."""
        self.state.reload_all = reload_all
        self.state.snapshot.start_head()

    def facts(self) -> Facts:
        """As `ServedApp`."""
        return self.state.snapshot.facts()


def load_app(config: ServeConfig, metrics: Metrics) -> App:
    """Load the snapshot and build the application, which may then be forked.

    Its RecHead is left to `App.start`. Raises DataError when there is nothing to serve.
    """
    snapshot = Snapshot.load(config.store, config.rechead)
    app = App(ServerState(config.store, snapshot, config.rechead, config.tokens), config, metrics)
    freeze_loaded_objects()
    return app


def make_app(config: ServeConfig, metrics: Metrics | None = None) -> App:
    """The whole application, for one process. Raises DataError when there is nothing to serve."""
    app = load_app(config, metrics or Metrics())
    app.start()
    return app
