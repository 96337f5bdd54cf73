"""Who may ask, how much at once, and how large a body: decided before anything is parsed."""

import asyncio
import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import zstandard
from pydantic import ValidationError

from data_engine.errors import DataError
from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config
from reward_server.errors import Refused

Scope = Literal["score", "admin"]


class Token(Config):
    """A bearer token at rest: its SHA-256, what it may do, until when."""

    name: str
    sha256: str
    scopes: tuple[Scope, ...] = ("score",)
    expires: datetime | None = None


@dataclass(frozen=True)
class Tokens:
    """The tokens of a server; none at all means that everybody may ask (loopback)."""

    tokens: tuple[Token, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "Tokens":
        """Read a token file. Raises DataError when it cannot be read or holds none."""
        try:
            found = tuple(Token.model_validate(row) for row in json.loads(path.read_text()))
        except (OSError, ValueError, ValidationError, TypeError) as error:
            raise DataError(
                f"{path} is no token file ({type(error).__name__}): make one with `rerec token NAME --file {path}`"
            ) from error
        if not found:
            raise DataError(
                f"{path} holds no token: make one with `rerec token NAME --file {path}`"
            )
        return cls(found)

    def check(self, authorization: str, scope: Scope) -> None:
        """Raise Refused (401) unless the header holds a known token of that scope, or there are no tokens."""
        if self.tokens and not self.allow(authorization, scope):
            raise Refused(
                401,
                "this server needs a bearer token of this scope: set REREC_TOKEN in the client's environment",
            )

    def allow(self, authorization: str, scope: Scope) -> bool:
        """Whether the header holds a known token of that scope. Every token is compared, in constant time."""
        given, now, allowed = _hash(authorization.removeprefix("Bearer ")), datetime.now(UTC), False
        for token in self.tokens:
            same = hmac.compare_digest(given, token.sha256)
            allowed |= (
                same and scope in token.scopes and (token.expires is None or token.expires > now)
            )
        return allowed


def issue(path: Path, name: str, scopes: tuple[Scope, ...], days: int | None) -> str:
    """Add a token to a file (made with mode 600) and return it: the only time it is seen. Raises DataError for a name in use."""
    known = Tokens.load(path).tokens if path.is_file() else ()
    if name in {token.name for token in known}:
        raise DataError(
            f"{path} already holds a token named {name}: take another name, or remove that line to revoke it"
        )
    secret = secrets.token_urlsafe(32)
    token = Token(
        name=name,
        sha256=_hash(secret),
        scopes=scopes,
        expires=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    with draft(path) as part:
        part.touch(mode=0o600)
        part.write_text(json.dumps([t.model_dump(mode="json") for t in (*known, token)], indent=1))
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Patience:
    """A `with` block around waiting: who takes longer than `seconds` gets a TimeoutError, found by looking now and then. A timer for each
    request, as `asyncio.timeout` sets, would cost more than reading its body."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._every = seconds, min(1.0, seconds / 4)
        self._since: dict[asyncio.Task, float] = {}
        self._late: set[asyncio.Task] = set()
        self._looking: asyncio.AbstractEventLoop | None = (
            None  # the loop that has the next look planned
        )

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._since[asyncio.current_task(loop)] = loop.time()
        if self._looking is not loop:
            self._looking = loop
            loop.call_later(self._every, self._look, loop)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        task = asyncio.current_task()
        del self._since[task]
        if task in self._late:
            self._late.remove(task)
            if task.uncancel() == 0 and kind is asyncio.CancelledError:  # cancelled by nobody else
                raise TimeoutError

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, since in self._since.items():
            if now - since > self.seconds and task not in self._late:
                self._late.add(task)
                task.cancel()
        self._looking = loop if self._since else None
        if self._since:
            loop.call_later(self._every, self._look, loop)


async def read_body(chunks: AsyncIterator[bytes], declared: str, encoding: str, most: int) -> bytes:
    """The whole body, decoded; at most `most` bytes before and after decoding. Raises Refused: 411, 413, 415 or 400."""
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
    try:
        if encoding == "gzip":
            decoder = zlib.decompressobj(wbits=31)
            body = decoder.decompress(body, most + 1)
            whole = decoder.eof
        elif encoding == "zstd":
            reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(body)
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
