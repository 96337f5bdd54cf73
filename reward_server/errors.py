"""Errors of the reward server and of its clients.

RewardError
├── UnknownExamples    HTTP 404
├── StaleGraph         HTTP 409
├── BadResponses       HTTP 413, 422
└── ServerUnreachable

In the server any refusal is a Refused, by its HTTP status.
"""

from data_engine.errors import Refused as Refused
from data_engine.errors import RerecError


class RewardError(RerecError):
    """A response could not be scored. Unscored is not zero: who catches this has no score."""


class UnknownExamples(RewardError):
    """Some example ids are not in the snapshot (HTTP 404)."""


class BadResponses(RewardError):
    """Some of what was sent is longer or more than the server takes (HTTP 413, 422)."""


class StaleGraph(RewardError):
    """The client's graph digest is not the server's (HTTP 409)."""


class ServerUnreachable(RewardError):
    """No server answered within the retries allowed."""

    exit_code = 3
