"""What can go wrong with a language model."""

from data_engine.errors import RerecError


class EndpointDown(RerecError):
    """It does not answer, or refuses the key or the model; the run stops and can go on later."""


class BudgetSpent(RerecError):
    """The budget would be overrun by the next call; the run stops and can go on with a larger one."""


class NotRecorded(RerecError):
    """A replay met a prompt that has no recorded answer."""


class Unwritable(Exception):
    """The model gave no usable answer to one prompt: a reason to try other words, not to stop."""
