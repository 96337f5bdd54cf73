"""The error tree: one root for the project, one branch for this room. A message says what was
asked, what was found, what to do.
"""


class RerecError(Exception):
    """Root of every error a user can cause or meet; the command line prints it as one line and
    exits with `exit_code`.
    """

    exit_code = 1


class DataError(RerecError):
    """Input files or the store do not hold what a command needs."""


class ImportRefused(DataError):
    """A file could not be imported; nothing was written."""


class RunError(RerecError):
    """A run directory cannot be used as was asked."""


class RunInUse(RunError):
    """Another process works in the directory."""


class RunExists(RunError):
    """The directory holds a run that was not to be resumed, or none that could be."""


class ConfigChanged(RunError):
    """A run was to go on with another configuration than its own."""


class Interrupted(RerecError):
    """Work stopped before its end; the message holds the command that goes on with it."""

    exit_code = 3


class UnsupportedKind(DataError):
    """The data cannot carry a kind of query."""


class Refused(RerecError):
    """A server does not take a request: `code` is the HTTP status, `headers` go with it."""

    def __init__(self, code: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code, self.headers = code, headers or {}


class NotServing(RerecError):
    """A server that was started as a child process ended, or did not serve in time."""
