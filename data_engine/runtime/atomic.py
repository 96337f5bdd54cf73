"""Files and folders that are there whole or not at all, a power cut included: written under another
name, brought to the disk, then renamed.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

PREFIX = ".draft-"  # of the folder that holds a draft; a process killed in between leaves it


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """A path with the name of `path` in a folder of this writer's own, to write a file or a folder
    at. It becomes `path` when the block ends well and is gone when it does not. A folder does not
    take the place of one that holds files (OSError): remove that at the end of the block.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    room = Path(mkdtemp(dir=path.parent, prefix=PREFIX))
    try:
        yield room / path.name
        replace(room / path.name, path)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def replace(old: Path, new: Path) -> None:
    """Rename `old`, a file or a folder, once all of it is on the disk; then the name is, too."""
    to_disk(old)
    os.replace(old, new)
    _sync(new.parent)


def write(path: Path, content: bytes | str) -> None:
    """Write a file; text as UTF-8."""
    with draft(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def to_disk(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, would outlast a power cut."""
    for inside in sorted(path.rglob("*"), reverse=True):  # what is in a folder before the folder
        _sync(inside)
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if (
            error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir()
        ):  # some file systems cannot for folders
            raise
    finally:
        os.close(handle)
