"""Errors of asking a language model."""

from data_engine.errors import RerecError


class EndpointDown(RerecError):
    """The endpoint does not answer; the run stops and can go on later."""


class EndpointRefused(EndpointDown):
    """The endpoint refuses the key, the model or the request: asking again would not help."""


class BudgetSpent(RerecError):
    """The next call would overrun the budget; the run stops and can go on with a larger one."""


class NotRecorded(RerecError):
    """A replay met a request that has no recorded answer."""


class UnusableAnswer(Exception):
    """The model gave no usable answer to one request: a reason to ask otherwise, not to stop."""
