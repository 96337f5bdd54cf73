"""The error tree: one root for the project, one branch for this room. A message says what was asked, what was found, what to do."""


class RerecError(Exception):
    """Root of every error a user can cause or meet; the command line prints it as one line and exits with `exit_code`."""

    exit_code = 1


class DataError(RerecError):
    """Input files or the store do not hold what a command needs."""


class ImportRefused(DataError):
    """A file could not be imported; nothing was written."""


class RunInUse(RerecError):
    """Another process works in the run directory."""


class UnsupportedKind(DataError):
    """The data cannot carry a kind of query."""
