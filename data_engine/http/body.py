"""Reading a request's body: how large it may be is decided before anything is parsed."""

import zlib
from collections.abc import AsyncIterator

import zstandard
from starlette.types import Receive

from data_engine.errors import Refused

MOST_WINDOW = 2**27  # bytes that a zstd decoder may keep


class ArrivingBodies:
    """The bodies that are being received; together they may hold `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    async def chunks(self, receive: Receive) -> AsyncIterator[bytes]:
        """One body as it arrives. Raises Refused: 400 for a lost client, 429 for too many bytes."""
        own_bytes = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the client went away")
                chunk = message.get("body", b"")
                own_bytes += len(chunk)
                self.held_bytes += len(chunk)
                if self.held_bytes > self.most_bytes:
                    raise Refused(
                        429,
                        "too many large bodies at a time: try again in a second",
                        {"retry-after": "1"},
                    )
                yield chunk
                if not message.get("more_body"):
                    return
        finally:
            self.held_bytes -= own_bytes


async def read_body(chunks: AsyncIterator[bytes], declared: str, encoding: str, most: int) -> bytes:
    """The whole body, decoded; at most `most` bytes before and after decoding.

    declared: the Content-Length header. encoding: Content-Encoding, gzip, zstd or none.
    Raises Refused: 411, 413, 415 or 400.
    """
    if not (declared.isascii() and declared.isdigit()):
        raise Refused(411, "the request must say its Content-Length")
    if len(declared) > 15 or int(declared) > most:
        raise Refused(
            413,
            f"the body has {declared[:20]} bytes, at most {most} are read: send smaller batches",
        )
    body = b"".join([chunk async for chunk in chunks])
    if encoding in ("", "identity"):
        return body
    return _decoded(body, encoding, most)


def _decoded(body: bytes, encoding: str, most: int) -> bytes:
    try:
        if encoding == "gzip":
            decoder = zlib.decompressobj(wbits=31)
            body = decoder.decompress(body, most + 1)
            whole = decoder.eof
        elif encoding == "zstd":
            reader = zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW).stream_reader(body)
            body = reader.read(most + 1)
            whole = True
        else:
            raise Refused(
                415, f"content-encoding {encoding[:20]!r} is not known: use gzip, zstd or none"
            )
    except (zlib.error, zstandard.ZstdError) as error:
        raise Refused(400, f"the body is no {encoding}") from error
    if len(body) > most:
        raise Refused(413, f"the decoded body has more than {most} bytes: send smaller batches")
    if not whole:
        raise Refused(400, f"the body is no whole {encoding}")
    return body
