"""The parts of an installation: the extras of `rerec`, and which of them lacks something here."""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from data_engine.errors import RerecError

# Light ones first.
PARTS = ("serve", "data", "agents", "rporec", "train", "mcp", "postgres", "smollm2")
PART_OF_ROOM = {
    "agents": "agents",
    "data_engine": "data",
    "rerec": "agents",  # ask, chat, assistant; the demo asks for all itself
    "reward_server": "serve",
    "train": "train",
}
TRAIN_BEFORE = (3, 13)  # the Python versions that verl and Ray are locked for are older
# Names of packages that are installed under another name, except for - and _.
INSTALLED_AS = {"hydra": "hydra-core", "transfer_queue": "transferqueue", "yaml": "pyyaml"}


class PartMissing(RerecError):
    """A part of rerec is not installed; the message says how to get it."""

    def __init__(self, who: str, part: str) -> None:
        where = f'pip install "rerec[{part}]"'
        if part == "train" and sys.version_info >= TRAIN_BEFORE:
            where = f"it is for Python 3.11 and 3.12, and this is 3.{sys.version_info[1]}"
        super().__init__(f"{who} needs rerec[{part}]: {where}")


def part_with(module: str, preferred: str) -> str | None:
    """The part that brings a module which cannot be imported, or None where no part does.

    module: its full name. preferred: the part to name where several bring it.
    """
    root = module.split(".")[0]
    name = canonicalize_name(INSTALLED_AS.get(root, root))
    return next((part for part in (preferred, *PARTS) if name in declared(part)), None)


def declared(part: str) -> dict[str, Requirement]:
    """What a part asks for beside the base install, by canonical name."""
    found: dict[str, Requirement] = {}
    for asked in map(Requirement, requires("rerec") or ()):
        if not asked.marker or not asked.marker.evaluate({"extra": part}):
            continue
        if asked.marker.evaluate({"extra": ""}):
            continue  # of the base install
        if asked.name == "rerec":
            for extra in sorted(asked.extras):
                found |= declared(extra)
        else:
            found[canonicalize_name(asked.name)] = asked
    return found


def lacking(part: str) -> list[str]:
    """The packages of a part that are not installed, or not in a version that it takes."""
    return sorted(_unmet(declared(part)))


def _unmet(wanted: dict[str, Requirement]) -> Iterator[str]:
    for name, asked in wanted.items():
        try:
            if not asked.specifier.contains(distribution(name).version, prereleases=True):
                yield name
        except PackageNotFoundError:
            yield name
