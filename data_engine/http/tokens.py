"""Bearer tokens: a file of their hashes, and the check of a request's header."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from data_engine.errors import DataError, Refused
from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config

Scope = Literal["score", "admin", "ask"]  # of a reward server two, of the assistant one


class Token(Config):
    """A bearer token at rest: its SHA-256, what it may do, until when."""

    name: str
    sha256: str
    scopes: tuple[Scope, ...] = ("score",)
    expires: datetime | None = None


@dataclass(frozen=True)
class Tokens:
    """The tokens of a server. Without any, every request is allowed (loopback)."""

    tokens: tuple[Token, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "Tokens":
        """Read a token file. Raises DataError when it cannot be read or holds none."""
        try:
            found = tuple(Token.model_validate(row) for row in json.loads(path.read_text()))
        except (OSError, ValueError, ValidationError, TypeError) as error:
            raise DataError(
                f"{path} is no token file ({type(error).__name__}): "
                f"make one with `rerec token NAME --file {path}`"
            ) from error
        if not found:
            raise DataError(
                f"{path} holds no token: make one with `rerec token NAME --file {path}`"
            )
        return cls(found)

    def check(self, authorization: str, scope: Scope) -> None:
        """Raise Refused (401) unless `allow` does, or there are no tokens."""
        if self.tokens and not self.allow(authorization, scope):
            raise Refused(
                401,
                "this server needs a bearer token of this scope: "
                "set REREC_TOKEN in the client's environment",
            )

    def allow(self, authorization: str, scope: Scope) -> bool:
        """Whether the header holds a known token of that scope.

        Every token is compared, each in constant time.
        """
        scheme, _, secret = authorization.partition(" ")
        given, now = _hash(secret if scheme.lower() == "bearer" else ""), datetime.now(UTC)
        allowed = False
        for token in self.tokens:
            same = hmac.compare_digest(given, token.sha256)
            valid = token.expires is None or token.expires > now
            allowed |= same and scope in token.scopes and valid
        return allowed


def issue_token(path: Path, name: str, scopes: tuple[Scope, ...], days: int | None) -> str:
    """Add a token to a file (made with mode 600) and return its secret, which is kept nowhere.

    Raises DataError for a name in use, or none, and for a path that is no file.
    """
    if not name.strip() or not name.isprintable():
        raise DataError("a token needs a name in one line: say who will use it")
    if path.is_dir():
        raise DataError(f"{path} is a folder: name the token file in it")
    known = Tokens.load(path).tokens if path.is_file() else ()
    if name in {token.name for token in known}:
        raise DataError(
            f"{path} already holds a token named {name}: "
            "take another name, or remove that line to revoke it"
        )
    secret = secrets.token_urlsafe(32)
    expires = datetime.now(UTC) + timedelta(days=days) if days else None
    token = Token(name=name, sha256=_hash(secret), scopes=scopes, expires=expires)
    with draft(path) as part:
        part.touch(mode=0o600)
        part.write_text(json.dumps([t.model_dump(mode="json") for t in (*known, token)], indent=1))
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
