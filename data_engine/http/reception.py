"""The requests of an endpoint: their bodies within limits, and places to answer them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.types import Receive

from data_engine.errors import Refused
from data_engine.http.body import ArrivingBodies, read_body
from data_engine.http.deadline import DeadlineWatcher

RETRY_SOON = {"retry-after": "1"}
Headers = Mapping[bytes, str]


class Reception:
    """Takes bodies of at most `most_bytes` that arrive within `seconds`, and lets `at_once`
    requests be answered at a time.
    """

    def __init__(self, *, most_bytes: int, at_once: int, seconds: float) -> None:
        self.most_bytes, self.at_once, self.seconds = most_bytes, at_once, seconds
        self.running = 0  # requests being answered
        self._bodies = ArrivingBodies(at_once * most_bytes)
        self._deadline = DeadlineWatcher(seconds)

    async def receive(self, headers: Headers, receive: Receive) -> bytes:
        """The whole body, decoded. Raises Refused: 400, 408, 411, 413, 415 or 429."""
        try:
            with self._deadline:
                return await read_body(
                    self._bodies.chunks(receive),
                    headers.get(b"content-length", ""),
                    headers.get(b"content-encoding", ""),
                    self.most_bytes,
                )
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self.seconds:g} s") from None

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for the length of the block. Raises Refused (429) where all are taken."""
        if self.running >= self.at_once:
            raise Refused(
                429, f"{self.running} requests are being served: try again in a second", RETRY_SOON
            )
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
