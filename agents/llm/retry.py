"""The one retry policy: which failures of a call are tried again, and after how long."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import openai
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

LONGEST_WAIT = 30.0  # seconds between two tries
TRANSIENT = (
    openai.RateLimitError,
    openai.InternalServerError,
    openai.APIConnectionError,
    openai.APIResponseValidationError,
    openai.ConflictError,
    ValueError,  # a body that is no JSON
)
REQUEST_TIMEOUT = 408
_BACKOFF = wait_random_exponential(multiplier=0.25, max=LONGEST_WAIT)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may well succeed later."""
    return isinstance(error, TRANSIENT) or (
        isinstance(error, openai.APIStatusError) and error.status_code == REQUEST_TIMEOUT
    )


def retrying(retries: int) -> AsyncRetrying:
    """Attempts of one call: the first and up to `retries` more; the last error is raised."""
    return AsyncRetrying(
        stop=stop_after_attempt(retries + 1),
        wait=pause,
        retry=retry_if_exception(is_transient),
        reraise=True,
    )


def pause(state: RetryCallState) -> float:
    """Seconds until the next try: Retry-After where it is given, else exponential with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, openai.APIStatusError):
        asked = retry_after(error.response.headers)
        if asked is not None:
            return min(max(asked, 0.0), LONGEST_WAIT)
    return _BACKOFF(state)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a response asks to wait: milliseconds, seconds or a date; None for none."""
    milliseconds, value = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    if milliseconds.replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def error_name(error: BaseException) -> str:
    """ "HTTP 429", else the name of the error's class."""
    if isinstance(error, openai.APIStatusError):
        return f"HTTP {error.status_code}"
    return type(error).__name__
