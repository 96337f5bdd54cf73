"""Downloads of known data sets: resumed where they broke off, checked against the publisher's
checksum, unpacked beside it.

Nothing is kept under its own name before its checksum is right, so a folder that is there is whole.
"""

import hashlib
import shutil
import zipfile
from pathlib import Path, PurePosixPath

import httpx

from data_engine.errors import DataError
from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config
from data_engine.runtime.progress import ReportProgress, no_progress

TIMEOUT, PIECE, TRIES = 30.0, 1 << 16, 5
GROUPLENS = "https://files.grouplens.org/datasets/movielens"


class DataSet(Config):
    """Where a data set is, in what file its md5 sum is published (beside it), and how it is
    imported.
    """

    url: str
    terms: str
    command: str

    @property
    def checksum_url(self) -> str:
        """The publisher's own md5 file."""
        return f"{self.url}.md5"


_MOVIELENS = "research use only, no redistribution without permission: read the README inside"
KNOWN = {
    name: DataSet(
        url=f"{GROUPLENS}/{name}.zip", terms=_MOVIELENS, command="rerec data import movielens"
    )
    for name in ("ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest-small")
}


def fetch(
    name: str,
    folder: Path,
    *,
    known: dict[str, DataSet] = KNOWN,
    progress: ReportProgress = no_progress,
) -> Path:
    """Download and unpack a data set into folder/name and return that path; at once when it is
    there.

    Raises DataError for an unknown name, an answer that is no file, a wrong checksum (the download
    is thrown away), or an archive that would write outside the folder. An interrupted download goes
    on where it was.
    """
    if name not in known:
        raise DataError(f"no data set {name!r}: choose from {', '.join(known)}")
    target, data = folder / name, known[name]
    if target.is_dir():
        return target
    archive = folder / f"{name}.zip.part"
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as http:
        wanted = _text(http, data.checksum_url).split()
        folder.mkdir(parents=True, exist_ok=True)
        _download(http, data.url, archive, progress)
    with archive.open("rb") as whole:
        found = hashlib.file_digest(whole, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found not in wanted:
        archive.unlink()
        raise DataError(
            f"{data.url}: its md5 is {found}, {data.checksum_url} says "
            f"{' '.join(wanted)[:80]!r}: the download was thrown away, try again"
        )
    try:
        _unpack(archive, target)
    finally:
        archive.unlink()
    return target


def _text(http: httpx.Client, url: str) -> str:
    try:
        return http.get(url).raise_for_status().text
    except httpx.HTTPError as error:
        raise DataError(f"{url} cannot be read ({error}): try again later") from error


def _download(http: httpx.Client, url: str, path: Path, progress: ReportProgress) -> None:
    """Into `path`, going on where it ends; a broken connection is taken up again, a few times."""
    reason: object = ""
    for _ in range(TRIES):
        have = path.stat().st_size if path.is_file() else 0
        try:
            with http.stream(
                "GET", url, headers={"range": f"bytes={have}-"} if have else {}
            ) as answer:
                if answer.status_code == 416:  # all of it is here
                    return
                answer.raise_for_status()
                whole = answer.status_code != 206  # a server that knows no ranges starts anew
                have = 0 if whole else have
                length = answer.headers.get("content-length")
                total = have + int(length) if length and length.isdigit() else None
                with path.open("wb" if whole else "ab") as out:
                    for piece in answer.iter_bytes(PIECE):
                        out.write(piece)
                        have += len(piece)
                        progress(have, total)
            return
        except httpx.HTTPStatusError as error:
            raise DataError(f"{url} cannot be had (HTTP {error.response.status_code})") from error
        except httpx.TransportError as error:
            reason = error or type(error).__name__
    raise DataError(
        f"{url} broke off {TRIES} times ({reason}): run the same command again to go on where it is"
    )


def _unpack(archive: Path, target: Path) -> None:
    """Unpack into `target`; a single folder in the archive is not doubled."""
    try:
        with zipfile.ZipFile(archive) as packed, draft(target) as part:
            names = [PurePosixPath(name) for name in packed.namelist()]
            if any(name.is_absolute() or ".." in name.parts for name in names):
                raise DataError(
                    f"{archive.name} would write outside its folder: it is not what it should be"
                )
            room = part.with_name("unpacked")
            packed.extractall(room)
            inside = list(room.iterdir())
            shutil.move(inside[0] if len(inside) == 1 and inside[0].is_dir() else room, part)
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive.name} is no zip archive ({error})") from error
