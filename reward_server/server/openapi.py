"""The endpoints that FastAPI does not serve, as its OpenAPI document describes them."""

from typing import Any

import msgspec

from reward_server.compat.labelled import OpenRLHFRequest, OpenRLHFResponse, SlimeRequest
from reward_server.compat.nemo_gym import (
    AggregateRequest,
    AggregateResponse,
    SeedRequest,
    SeedResponse,
    VerifyRequest,
    VerifyResponse,
)
from reward_server.compat.tools import HoldersArguments, LookupArguments
from reward_server.wire import (
    HeadRequest,
    HeadResponse,
    Looked,
    LookRequest,
    LookResponse,
    ScoreRequest,
    ScoreResponse,
)

# path → (summary, operation id, request, response)
OPERATIONS: dict[str, tuple[str, str, type, type]] = {
    "/v1/score": ("Score 1 to 1024 responses", "score", ScoreRequest, ScoreResponse),
    "/v1/rechead/score": (
        "Rank the catalogue by history, chain of thought and answer (needs --rechead)",
        "rechead",
        HeadRequest,
        HeadResponse,
    ),
    "/v1/look": (
        "Look up what items have, and which have a value, for a policy that asks while it thinks",
        "look",
        LookRequest,
        LookResponse,
    ),
    "/compat/openrlhf": (
        "Score responses as OpenRLHF's remote reward sends them",
        "openrlhf",
        OpenRLHFRequest,
        OpenRLHFResponse,
    ),
    "/compat/slime": (
        "Score a response as slime's remote reward sends it: a number",
        "slime",
        SlimeRequest,
        float,
    ),
    "/seed_session": ("NeMo-Gym: check a row before a rollout", "seed", SeedRequest, SeedResponse),
    "/verify": ("NeMo-Gym: score a rollout", "verify", VerifyRequest, VerifyResponse),
    "/aggregate_metrics": (
        "NeMo-Gym: means over rollouts",
        "aggregate",
        AggregateRequest,
        AggregateResponse,
    ),
    "/lookup": ("The tool lookup, called with its arguments", "lookup", LookupArguments, Looked),
    "/holders": (
        "The tool holders, called with its arguments",
        "holders",
        HoldersArguments,
        Looked,
    ),
}
OPTIONS = {  # of the URL
    "/compat/openrlhf": ("profile", "graph_digest"),
    "/compat/slime": ("profile", "graph_digest"),
    "/lookup": ("graph_digest",),
    "/holders": ("graph_digest",),
}
REFUSALS = {
    "400": "The body does not decode",
    "401": "No token of this scope",
    "404": "Unknown ids, or no RecHead here",
    "408": "The body came too slowly",
    "409": "The server holds another graph or head",
    "411": "No Content-Length",
    "413": "The body is too large",
    "415": "Unknown content encoding",
    "422": "Malformed request",
    "429": "Too many requests at once",
    "503": "Not scored within the deadline",
}
PROBLEM = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
Schema = dict[str, Any]


def describe_endpoints(document: Schema) -> None:
    """Add OPERATIONS and the schemas of the wire types to an OpenAPI document, in place."""
    wire_types: list[type] = []
    for _, _, request, response in OPERATIONS.values():
        wire_types += [request, response]
    references, schemas = msgspec.json.schema_components(
        wire_types, ref_template="#/components/schemas/{name}"
    )
    reference = dict(zip(wire_types, references, strict=True))
    for path, (summary, operation, request, response) in OPERATIONS.items():
        document["paths"][path] = {
            "post": {
                "summary": summary,
                "operationId": operation,
                "requestBody": {"required": True, "content": _json(reference[request])},
                "responses": _responses(reference[response]),
            }
        }
        if names := OPTIONS.get(path):
            document["paths"][path]["post"]["parameters"] = [
                {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
                for name in names
            ]
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)


def _responses(reply: Schema) -> Schema:
    found = {"200": {"description": "Scores in request order", "content": _json(reply)}}
    for code, reason in REFUSALS.items():
        found[code] = {"description": reason, "content": _json(PROBLEM)}
    return found


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
