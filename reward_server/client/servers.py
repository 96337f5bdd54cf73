"""The servers of a client, in the order in which they are asked."""

import os
from threading import Lock

from reward_server.errors import RewardError, ServerUnreachable


class ServerList:
    """Server URLs from a comma-separated list, without repeats; the first is asked first.

    Safe for calls that run at the same time: `move_to_end` names the server that failed, since
    another call may have changed the order meanwhile. Raises RewardError for an empty list.
    """

    def __init__(self, urls: str) -> None:
        given = [url.strip().rstrip("/") for url in urls.split(",")]
        self._urls = list(dict.fromkeys(url for url in given if url))
        self._lock = Lock()
        if not self._urls:
            raise RewardError(
                "no reward server given: expected a URL such as http://127.0.0.1:8700"
            )

    @property
    def urls(self) -> tuple[str, ...]:
        """All servers, the next to be asked first."""
        return tuple(self._urls)

    @property
    def first(self) -> str:
        """The server to ask next."""
        return self._urls[0]

    def move_to_end(self, server: str) -> None:
        """Ask a server that failed only after all others."""
        with self._lock:
            self._urls = [*(url for url in self._urls if url != server), server]

    def unreachable(self, reason: str) -> ServerUnreachable:
        """The error for a call whose attempts are spent; `reason` is that of the last one."""
        return ServerUnreachable(
            f"the reward server at {' and '.join(sorted(self._urls))} does not answer ({reason}): "
            "start it with `rerec serve`, or check the URL"
        )


def request_headers() -> dict[str, str]:
    """Headers of every request: JSON, and the token of the environment where there is one."""
    headers = {"content-type": "application/json"}
    if token := os.environ.get("REREC_TOKEN"):
        headers["authorization"] = f"Bearer {token}"
    return headers
