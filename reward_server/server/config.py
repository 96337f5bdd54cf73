"""The configuration of a server."""

from pathlib import Path

from pydantic import Field

from data_engine.runtime.config import Config


class ServeConfig(Config):
    """What a server serves, and its limits for each endpoint.

    store: the DuckDB file. rechead: folder of a RecHead. tokens: token file.
    explore: show gold to everybody who may ask for scores, not only to an admin.
    mcp: offer the look-ups at /mcp too, by the package mcp.
    most_bytes: of a body. at_once: requests being answered. seconds: for one request.
    """

    store: Path
    rechead: Path | None = None
    tokens: Path | None = None
    explore: bool = False
    mcp: bool = False
    most_bytes: int = Field(64 * 2**20, ge=1024)
    at_once: int = Field(64, ge=1)
    seconds: float = Field(30.0, gt=0)
