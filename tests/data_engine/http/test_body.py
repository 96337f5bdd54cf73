"""Bodies that are too large or not what they say they are."""

import asyncio
import gzip

import pytest
import zstandard

from data_engine.errors import Refused
from data_engine.http.body import read_body


def body(data, encoding="", declared=None, most=1000, parts=1):
    async def chunks():
        size = -(-len(data) // parts) or 1
        for k in range(0, len(data), size):
            yield data[k : k + size]

    return asyncio.run(
        read_body(chunks(), str(len(data)) if declared is None else declared, encoding, most)
    )


@pytest.mark.parametrize("parts", [1, 3])
def test_bodies_arrive_whole_however_they_are_packed(parts):
    text = b'{"responses": []}' * 20
    assert (
        body(text, parts=parts) == body(gzip.compress(text, mtime=0), "gzip", parts=parts) == text
    )
    assert body(zstandard.compress(text), "zstd", parts=parts) == text


@pytest.mark.parametrize(
    ("data", "encoding", "declared", "code"),
    [
        (b"x" * 1001, "", None, 413),
        (b"x", "", "", 411),
        (b"x", "", "-1", 411),
        (b"x", "", "²", 411),
        (b"x", "", "9" * 5000, 413),
        (
            gzip.compress(b"0" * 100_000, mtime=0),
            "gzip",
            None,
            413,
        ),  # a bomb: small on the wire, large inside
        (zstandard.compress(b"0" * 100_000), "zstd", None, 413),
        (b"not packed", "gzip", None, 400),
        (b"not packed", "zstd", None, 400),
        (gzip.compress(b"cut off" * 50, mtime=0)[:-12], "gzip", None, 400),
        (b"x", "br", None, 415),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_refused(data, encoding, declared, code):
    with pytest.raises(Refused) as refused:
        body(data, encoding, declared)
    assert refused.value.code == code
