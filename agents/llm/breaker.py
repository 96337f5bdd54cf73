"""A circuit breaker: when an endpoint keeps failing, all calls pause, then all give up."""

import asyncio

from agents.llm.errors import EndpointDown

FAILURES, FIRST_PAUSE, OPENINGS = 12, 1.0, 6


class Breaker:
    """Opens after FAILURES in a row for FIRST_PAUSE seconds, then for twice as long each time.

    It opens OPENINGS times; a success closes it and resets all counts.
    """

    def __init__(self) -> None:
        self.failures = self.openings = 0
        self._closed = asyncio.Event()
        self._closed.set()

    async def ready(self) -> None:
        """Wait until calls may go out. Raises EndpointDown when the endpoint was given up."""
        await self._closed.wait()
        if self.openings > OPENINGS:
            raise EndpointDown(
                f"the endpoint failed {self.failures} times in a row: "
                "check it, then run the same command again to go on"
            )

    def succeeded(self) -> None:
        """Count an answered call."""
        self.failures = self.openings = 0

    async def failed(self) -> None:
        """Count a failed call; every FAILURES-th opens the breaker and waits out the pause."""
        self.failures += 1
        if self.failures % FAILURES or not self._closed.is_set():
            return
        self._closed.clear()
        self.openings += 1
        await asyncio.sleep(
            FIRST_PAUSE * 2 ** (self.openings - 1) if self.openings <= OPENINGS else 0
        )
        self._closed.set()
