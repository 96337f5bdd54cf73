"""This room's branch of the error tree."""

from data_engine.errors import RerecError


class TrainError(RerecError):
    """Training cannot start or go on."""


class BadRecipe(TrainError):
    """A recipe does not exist, or does not compose or validate."""
