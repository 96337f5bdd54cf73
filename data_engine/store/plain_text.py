"""Text files as DuckDB reads them best: UTF-8 with one kind of line end.

A file that is so already is read where it lies. One with mixed line ends, or in another encoding,
is read from a copy in a temporary folder that is removed when the process ends; messages name the
file itself (`original`).
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from data_engine.errors import ImportRefused

CHUNK = 1 << 22
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ORIGINALS: dict[str, Path] = {}  # a copy's path → the file it was made from


@dataclass(frozen=True)
class Scan:
    """`bad_line`: the first line, from 1, that is no UTF-8 (0: none); `odd_ends`: several kinds of
    line end, or bare carriage returns.
    """

    bad_line: int
    odd_ends: bool


def encoding_of(path: Path, fallback: str = "") -> str:
    """The encoding that a file is read with: UTF-8 where its bytes are that, else `fallback`.

    Raises ImportRefused, with the line, where there is no fallback, and for a file that cannot be
    read or holds NUL bytes.
    """
    start = next(_chunks(path), b"")[:3]
    if start[:2] in BOMS:
        return BOMS[start[:2]]
    line = _scan(path, path.stat().st_mtime_ns, path.stat().st_size).bad_line
    if line and not fallback:
        raise ImportRefused(
            f"{path} line {line}: not UTF-8: save the file as UTF-8, "
            "or name its encoding (data import tables --encoding latin-1)"
        )
    if line:
        return fallback
    return "utf-8-sig" if start == codecs.BOM_UTF8 else "utf-8"


def readable(path: Path, encoding: str) -> Path:
    """`path` itself, or a UTF-8 copy of it with plain line ends. Raises ImportRefused."""
    if (
        encoding == "utf-8"
        and not _scan(path, path.stat().st_mtime_ns, path.stat().st_size).odd_ends
    ):
        return path
    return _copy(path, path.stat().st_mtime_ns, encoding)


def original(path: str) -> str:
    """The file that the user gave, for a path that may be a copy's."""
    return str(_ORIGINALS.get(path, path))


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
            while chunk := handle.read(CHUNK):
                yield chunk
    except (EOFError, OSError, zlib.error) as error:
        raise ImportRefused(f"{path}: cannot be read ({error})") from error


@cache
def _scan(path: Path, changed: int, size: int) -> Scan:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, bad_line, last = 1, 0, b""
    ends = {"\n": False, "\r": False, "\r\n": False}
    for chunk in _chunks(path):
        if b"\0" in chunk:
            where = line + chunk.split(b"\0")[0].count(b"\n")
            raise ImportRefused(f"{path} line {where}: a NUL byte: this is no text file")
        if not bad_line:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                bad_line = line + chunk[: error.start].count(b"\n")
        _note_ends(ends, last + chunk)
        last = chunk[-1:] if chunk.endswith(b"\r") else b""
        line += chunk.count(b"\n")
    ends["\r"] |= last == b"\r"
    if not bad_line and decoder.getstate()[0]:
        bad_line = line
    return Scan(bad_line, ends["\r"] or sum(ends.values()) > 1)


def _note_ends(ends: dict[str, bool], text: bytes) -> None:
    """Which line ends `text` has; a carriage return at its end is left to the next chunk."""
    both = text.count(b"\r\n")
    ends["\r\n"] |= both > 0
    ends["\n"] |= text.count(b"\n") > both
    ends["\r"] |= text[:-1].count(b"\r") > both if b"\r" in text else False


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="rerec-")


@cache
def _copy(path: Path, changed: int, encoding: str) -> Path:
    ending = path.suffixes[-2] if path.suffix == ".gz" else path.suffix
    copy = Path(_folder().name) / f"{len(_ORIGINALS)}{ending}"
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise ImportRefused(f"no encoding is called {encoding!r}: try utf-8 or latin-1") from error
    held = ""
    with copy.open("w", encoding="utf-8", newline="") as out:
        for chunk in chain(_chunks(path), [b""]):
            try:
                text = held + decoder.decode(chunk, final=not chunk)
            except UnicodeError as error:
                raise ImportRefused(f"{path}: not {encoding} ({error}): give another") from error
            held = "\r" if text.endswith("\r") and chunk else ""
            text = text.removesuffix(held)
            out.write(text.replace("\r\n", "\n").replace("\r", "\n"))
    _ORIGINALS[str(copy)] = path
    return copy
