"""The HTTP coat: limits first, then the pure scorer. Loopback only; no pickle, no gold on the wire."""

from time import perf_counter

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from reward_server.errors import StaleGraph, UnknownExamples
from reward_server.metrics import Metrics
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import MOST_CHARACTERS, MOST_RESPONSES, ScoreRequest, ScoreResponse

MOST_BYTES = 64 * 1024 * 1024  # more than a full batch of the longest responses can need in practice


def make_app(snapshot: Snapshot) -> FastAPI:
    """The application over one snapshot: POST /v1/score, GET /health, /ready, /metrics, /openapi.json."""
    app = FastAPI(title="rerec reward server", version="1", description="Dual-graph scores for recommendation responses.")
    metrics = Metrics()

    @app.middleware("http")
    async def limit_body(request: Request, call_next: object) -> Response:
        """Refuse a body that is too long, or of undeclared length, before it is read."""
        if request.method == "POST":
            length = request.headers.get("content-length", "")
            if not length.isdigit():
                return _problem(411, "the request must say its Content-Length")
            if int(length) > MOST_BYTES:
                return _problem(413, f"the body has {length} bytes, at most {MOST_BYTES} are read: send smaller batches")
        response = await call_next(request)
        if request.url.path == "/v1/score":
            metrics.requests.labels(str(response.status_code)).inc()
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        """Say where the body is wrong without sending it back."""
        first = error.errors()[0]
        return _problem(
            422, f"{'.'.join(map(str, first['loc']))}: {first['msg']} (1 to {MOST_RESPONSES} responses of up to {MOST_CHARACTERS} characters)"
        )

    @app.exception_handler(StaleGraph)
    async def stale(_: Request, error: StaleGraph) -> JSONResponse:
        return _problem(409, str(error))

    @app.exception_handler(UnknownExamples)
    async def unknown(_: Request, error: UnknownExamples) -> JSONResponse:
        return _problem(404, str(error))

    @app.post("/v1/score")
    def score(request: ScoreRequest) -> ScoreResponse:
        """Score 1 to 1024 responses. 404: unknown example ids; 409: the server holds another graph; 422: malformed request."""
        start = perf_counter()
        if request.graph_digest not in (None, snapshot.digest):
            raise StaleGraph(f"the request is for graph {request.graph_digest}, this server holds {snapshot.digest}: restart it on the current store")
        scores = snapshot.score(request.responses, PROFILES[request.profile])
        metrics.observe(scores, perf_counter() - start)
        return ScoreResponse(graph_digest=snapshot.digest, scores=scores)

    @app.get("/health")
    def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/ready")
    def ready() -> dict[str, object]:
        """The snapshot is loaded: its graph digest and how many Examples it can score."""
        return {"status": "ready", "graph_digest": snapshot.digest, "examples": len(snapshot.targets)}

    @app.get("/metrics", include_in_schema=False)
    def prometheus() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _problem(code: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code=code)
