"""This room's branch of the error tree."""

from data_engine.errors import RerecError


class RewardError(RerecError):
    """A response could not be scored. Unscored is not zero: whoever catches this has no score."""


class UnknownExamples(RewardError):
    """Some example ids are not in the snapshot (HTTP 404)."""


class BadResponses(RewardError):
    """Some of what was sent is longer or more than the server takes (HTTP 413, 422)."""


class StaleGraph(RewardError):
    """The client's graph digest is not the server's (HTTP 409)."""


class ServerUnreachable(RewardError):
    """The server did not answer within the retries allowed."""

    exit_code = 3


class Refused(RewardError):
    """The server does not take this request: `code` is the HTTP status, `headers` go with it."""

    def __init__(self, code: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code, self.headers = code, headers or {}
