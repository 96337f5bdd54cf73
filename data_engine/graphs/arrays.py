"""Both graphs as typed arrays in compressed sparse row form, kept as .npy files that any number of
processes map read-only.

Item k's edges are `relation[edge_start[k]:edge_start[k + 1]]` (index into `relations`) and
`attribute[…]` (index into `attribute_ids`), by relation and credit order; user k's interactions are
`item[like_start[k]:…]` with `rating` (nan: unknown), `time` (-1: unknown) and `liked`, oldest
first. Ids are sorted, so an id is found by bisection.
"""

import os
import shutil
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from socket import gethostname
from tempfile import mkdtemp

import numpy as np

from data_engine.errors import DataError
from data_engine.graphs.interactions import InteractionGraph
from data_engine.runtime.atomic import replace
from data_engine.store.database import Store

PART = ".part-"
OLD_SECONDS = 24 * 3600.0  # nothing takes a day to write


@dataclass(frozen=True)
class Strings(Sequence[str]):
    """Many strings in two arrays: UTF-8 bytes end to end, and where each starts."""

    start: np.ndarray
    text: np.ndarray

    @classmethod
    def pack(cls, strings: Sequence[str]) -> "Strings":
        """Lay the strings end to end."""
        raw = [s.encode() for s in strings]
        start = np.zeros(len(raw) + 1, np.int64)
        np.cumsum([len(r) for r in raw], out=start[1:])
        return cls(start, np.frombuffer(b"".join(raw), np.uint8))

    def __len__(self) -> int:
        return len(self.start) - 1

    def __iter__(self) -> Iterator[str]:
        raw = self.text.tobytes()
        return (raw[start:end].decode() for start, end in pairwise(self.start.tolist()))

    def __getitem__(self, k: int) -> str:  # type: ignore[override]  # no slices
        if not 0 <= k < len(self):
            raise IndexError(k)
        return self.text[self.start[k] : self.start[k + 1]].tobytes().decode()

    def find(self, string: str) -> int | None:
        """The index of `string` in sorted strings, None when it is not among them."""
        k = bisect_left(self, string)
        return k if k < len(self) and self[k] == string else None


@dataclass(frozen=True)
class GraphArrays:
    """See the module's text. `digest` is the store's graph digest."""

    digest: str
    item_ids: Strings
    titles: Strings
    attribute_ids: Strings
    names: Strings
    relations: Strings
    edge_start: np.ndarray
    relation: np.ndarray
    attribute: np.ndarray
    user_ids: Strings
    like_start: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    time: np.ndarray
    liked: np.ndarray

    @classmethod
    def of(cls, store: Store) -> "GraphArrays":
        """The store's arrays, mapped from the folder beside it; made first where the graph is new.
        Raises DataError before an import.
        """
        folder = arrays_folder(store)
        if not folder.is_dir():
            made = _from_store(store)
            try:
                made.save(folder)
            except OSError:
                return made
            _remove_others(folder)
        try:
            return cls.open(folder)
        except DataError:
            if folder.is_dir():
                raise
            return _from_store(store)  # another process, at a newer graph, has just removed it

    @classmethod
    def open(cls, folder: Path) -> "GraphArrays":
        """Map the files of a folder that is named after the digest. Raises DataError when one
        cannot be read.
        """

        def read(name: str) -> np.ndarray:
            try:
                return np.asarray(
                    np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                )  # a plain view: np.memmap is slow to index
            except (OSError, ValueError) as error:
                raise DataError(
                    f"{folder}/{name}.npy cannot be read ({error}): delete the folder, it will "
                    "be made again"
                ) from error

        parts = {
            f.name: Strings(read(f"{f.name}.start"), read(f"{f.name}.text"))
            if f.type is Strings
            else read(f.name)
            for f in fields(cls)[1:]
        }
        return cls(folder.name, **parts)  # type: ignore[arg-type]  # each as its field says

    def save(self, folder: Path) -> None:
        """Write the files: all of them, or the folder does not appear. Raises OSError when it
        cannot be made.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = _part(folder.parent)
        try:
            for name, array in self._files():
                np.save(part / f"{name}.npy", array, allow_pickle=False)
            part.chmod(0o755)
            replace(part, folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, with the same bytes
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _files(self) -> Iterator[tuple[str, np.ndarray]]:
        for f in fields(self)[1:]:
            value = getattr(self, f.name)
            yield from (
                ((f"{f.name}.start", value.start), (f"{f.name}.text", value.text))
                if f.type is Strings
                else ((f.name, value),)
            )


def arrays_folder(store: Store) -> Path:
    """The folder beside a store that holds its arrays. Raises DataError before an import."""
    return store.path.with_name(f"{store.path.name}.arrays") / store.graph_digest


def _part(parent: Path) -> Path:
    """A new folder for files that are being written or removed; its name says which process does
    so.
    """
    return Path(mkdtemp(dir=parent, prefix=f"{PART}{gethostname()}-{os.getpid()}-"))


def _remove_others(folder: Path) -> None:
    """Remove the folders of other graphs, and parts that nobody finishes. Who has mapped the old
    files keeps them.
    """
    for other in folder.parent.iterdir():
        if other.name.startswith(PART):
            if _abandoned(other):
                shutil.rmtree(other, ignore_errors=True)
        elif other != folder:
            with suppress(OSError):  # somebody else was quicker, or it may not be removed
                part = _part(folder.parent)
                other.rename(part)  # gone at once: nobody opens half a folder
                shutil.rmtree(part, ignore_errors=True)


def _abandoned(part: Path) -> bool:
    """Whether the process that made a part has ended; of a process on another machine, or one that
    cannot be told, whether the part is old.
    """
    host, _, pid = part.name.removeprefix(PART).rpartition("-")[0].rpartition("-")
    if host == gethostname() and pid.isdecimal():
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # somebody else's, and alive
            pass
    try:
        return time.time() - part.stat().st_mtime > OLD_SECONDS
    except OSError:  # finished meanwhile
        return False


def _from_store(store: Store) -> GraphArrays:
    likes = InteractionGraph.from_store(store)
    titles, attributes = (
        store.rows(f"FROM {table} ORDER BY 1") for table in ("items", "attributes")
    )
    edges = store.db.execute(
        f"WITH {_numbered('i', 'item_id', 'items')}, "
        f"{_numbered('a', 'attribute_id', 'attributes')}, {_numbered('r', 'relation', 'edges')} "
        "SELECT i.n AS item, r.n AS relation, a.n AS attribute FROM edges JOIN i USING "
        "(item_id) JOIN a USING (attribute_id) JOIN r USING (relation) "
        "ORDER BY i.n, r.n, position, a.n"
    ).fetchnumpy()
    return GraphArrays(
        digest=store.graph_digest,
        item_ids=Strings.pack([item for item, _ in titles]),
        titles=Strings.pack([title for _, title in titles]),
        attribute_ids=Strings.pack([attribute for attribute, _ in attributes]),
        names=Strings.pack([name for _, name in attributes]),
        relations=Strings.pack(
            [
                relation
                for (relation,) in store.rows("SELECT DISTINCT relation FROM edges ORDER BY 1")
            ]
        ),
        edge_start=_starts(edges["item"], len(titles)),
        relation=edges["relation"].astype(np.uint16),
        attribute=edges["attribute"].astype(np.int32),
        user_ids=Strings.pack(likes.users),
        like_start=_starts(likes.user, len(likes.users)),
        item=likes.item.astype(np.int32),
        rating=likes.rating.astype(np.float32),
        time=likes.time.astype(np.int64),
        liked=likes.positive.astype(bool),
    )


def _numbered(name: str, column: str, table: str) -> str:
    """A common table expression that numbers the distinct values of a column in sorted order."""
    return (
        f"{name} AS (SELECT {column}, row_number() OVER (ORDER BY {column}) - 1 AS n FROM "
        f"(SELECT DISTINCT {column} FROM {table}))"
    )


def _starts(owner: np.ndarray, owners: int) -> np.ndarray:
    """Row starts from the sorted owner of each entry."""
    return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=owners))]).astype(np.int64)
