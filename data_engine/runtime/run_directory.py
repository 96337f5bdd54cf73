"""The directory of a run: held by one process at a time, bound to one configuration.

A run that was cut short goes on in its directory when it is started with the same configuration. A
record in the directory says which that was; another configuration is refused, key by key.
"""

import fcntl
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data_engine.errors import ConfigChanged, RunExists, RunInUse
from data_engine.runtime.atomic import write

SHOWN = 5  # changed keys that an error names
Record = Mapping[str, Any]


@dataclass(frozen=True)
class RunDirectory:
    """`path` with the file `record` (JSON, or YAML by its suffix) that says how the run was
    started.

    section: key of the record that holds the configuration; None: the whole record is one. movable:
    dotted keys that may differ when a run goes on, such as where a server lies. upgrade: makes a
    configuration of an earlier version comparable with today's.
    """

    path: Path
    record: str = "run.json"
    section: str | None = None
    movable: Collection[str] = ()
    upgrade: Callable[[dict[str, Any]], Record] = dict

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the directory and hold it until the block ends, however this process ends.

        Raises RunInUse while another process holds it: two that write the same checkpoints leave
        none that is whole.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise RunInUse(
                f"another process is still at work in {self.path}: "
                "wait until it has stopped, or stop it, then run the same command again"
            ) from error
        try:
            yield
        finally:
            os.close(handle)

    def known(self) -> dict[str, Any] | None:
        """The record as it is, None in a directory without one."""
        file = self.path / self.record
        if not file.is_file():
            return None
        text = file.read_text(encoding="utf-8")
        found: dict[str, Any] = yaml.safe_load(text) if file.suffix == ".yaml" else json.loads(text)
        return found

    def check(self, config: Record, *, resume: bool | None = None) -> bool:
        """Whether a run goes on here (True) or begins (False), before anything is written.

        resume: what the user asked for; None where going on is the usual thing.
        Raises RunExists for a run that was not to be resumed, or a resume where files but no run
        are; ConfigChanged where the configuration is another than the record's.
        """
        known = self.known()
        if known is None:
            if resume and self.path.exists() and any(self.path.iterdir()):
                raise RunExists(f"{self.path} holds no run to resume: give another --run")
            return False
        if resume is False:
            raise RunExists(
                f"{self.path} already holds a run: add --resume to go on with it, "
                "or give another --run"
            )
        old = self.upgrade(known if self.section is None else known[self.section])
        if changed := self.changes(old, config):
            raise ConfigChanged(
                f"the run in {self.path} was started with another configuration "
                f"({len(changed)} keys: {', '.join(changed[:SHOWN])}): "
                "undo that, or give another --run"
            )
        return True

    def changes(self, old: Record, new: Record) -> list[str]:
        """The dotted keys that differ, each as "key: old → new", sorted."""
        before, after = flat(old), flat(json.loads(json.dumps(new, default=str)))
        return [
            f"{key}: {before.get(key)} → {after.get(key)}"
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key) and key not in self.movable
        ]

    def write(self, name: str, content: bytes | str) -> Path:
        """Write a file of the run whole or not at all; returns its path."""
        write(self.path / name, content)
        return self.path / name

    def write_json(self, name: str, value: object) -> Path:
        """As `write`, a value as JSON."""
        return self.write(name, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def flat(value: object, prefix: str = "") -> dict[str, object]:
    """A nested mapping by dotted keys; anything else is one value under `prefix`."""
    if not isinstance(value, Mapping):
        return {prefix: value}
    found: dict[str, object] = {}
    for name, part in value.items():
        found |= flat(part, f"{prefix}.{name}".lstrip("."))
    return found
