"""Calls to the reward server. A refusal raises: what could not be scored has no score."""

import os
from typing import Any

import httpx

SECONDS = 60.0  # for one call


async def call(method: str, url: str, path: str, body: Any = None) -> Any:
    """The answer of a route. Raises httpx.HTTPStatusError with the server's reason."""
    token = os.environ.get("REREC_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(headers=headers, timeout=SECONDS) as client:
        answer = await client.request(method, f"{url.rstrip('/')}{path}", json=body)
    if answer.is_error:
        reason = f"{path}: {answer.status_code} {answer.text[:300]}"
        raise httpx.HTTPStatusError(reason, request=answer.request, response=answer)
    return answer.json()


async def score(url: str, graph_digest: str, example_id: str, text: str) -> dict[str, Any]:
    """The score of a response and its parts, which are None where the graphs cannot give them."""
    response = {"example_id": example_id, "response": text}
    body = {"responses": [response], "graph_digest": graph_digest, "claims": False}
    return (await call("POST", url, "/v1/score", body))["scores"][0]


async def look_up(url: str, graph_digest: str, **asked: Any) -> str:
    """What a look-up in the graph finds, one name a line, or why it finds nothing."""
    body = {"calls": [asked], "graph_digest": graph_digest}
    (result,) = (await call("POST", url, "/v1/look", body))["results"]
    return "\n".join(result["found"]) or result["problem"] or "nothing"
