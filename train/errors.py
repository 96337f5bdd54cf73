"""This room's branch of the error tree."""

from data_engine.errors import RerecError


class TrainError(RerecError):
    """Training cannot start or go on."""


class BadRecipe(TrainError):
    """A recipe does not exist, or does not compose or validate."""


class ConfigChanged(TrainError):
    """A resume was asked for with another configuration than the run's own."""


class Interrupted(TrainError):
    """Training stopped before its end; the message holds the command that resumes it."""

    exit_code = 3
