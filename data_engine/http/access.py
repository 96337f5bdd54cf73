"""The access log: one JSON line per request, without tokens and without texts."""

import json
import logging
from random import getrandbits

from starlette.types import Scope

from data_engine.http.reception import Headers

access = logging.getLogger("rerec.access")


def request_id_of(headers: Headers) -> str:
    """The id that the client gave its request, or one at random."""
    given = headers.get(b"x-request-id", "")[:64]
    return given if given.isalnum() else f"{getrandbits(64):016x}"


def log_access(scope: Scope, request_id: str, code: int, seconds: float, **counts: int) -> None:
    """Write the line of a request, where the log is wanted."""
    if not access.isEnabledFor(logging.INFO):
        return
    facts = {
        "id": request_id,
        "client": (scope.get("client") or ("",))[0],
        "status": code,
        **counts,
        "ms": round(seconds * 1000, 2),
    }
    access.info(json.dumps(facts))
