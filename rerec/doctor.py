"""`rerec doctor`: whether this machine can run everything."""

import os
import shutil
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from data_engine.errors import RerecError

doctor = typer.Typer(pretty_exceptions_enable=False)
PACKAGES = ("agents", "data_engine", "rerec", "reward_server", "train")
LEAST_MEMORY, LEAST_DISK = 7.5, 3  # GB; of nominally 8 GB a little is always taken
HERE = Path(__file__).resolve().parents[1]


class MachineError(RerecError):
    """This machine cannot run everything; the message says why."""


@doctor.command()
def _doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as one JSON object.")
    ] = False,
) -> None:
    """Check that the libraries work, cores, memory, disk and that our packages are the ones
    imported. Exits non-zero when something is wrong.

    Example: rerec doctor --json
    """
    from data_engine.runtime.console import show
    from data_engine.runtime.provenance import provenance

    facts: Mapping[str, Any] = provenance()
    versions: Mapping[str, str] = facts["versions"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    disk = shutil.disk_usage(HERE).free / 2**30
    problems = list(_problems(versions, memory, disk))
    found = {
        **versions,
        "python": facts["python"],
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "free_disk_gb": round(disk, 1),
        "ok": not problems,
    }
    show(found, as_json)
    if problems:
        raise MachineError("; ".join(problems) + ": run ./justw again to repair the environment")


def _problems(versions: Mapping[str, str], memory: float, disk: float) -> Iterator[str]:
    """What is wrong; `memory` and free `disk` in GB."""
    from data_engine.runtime.provenance import broken

    for name in PACKAGES:
        if not _is_ours(name):
            yield f"package {name} is not ours (another distribution has the same import name)"
    for name, found in versions.items():
        if found == "absent":
            yield f"{name} is not installed"
    if failing := broken():
        yield failing
    if memory < LEAST_MEMORY:
        yield "less than 8 GB of memory"
    if disk < LEAST_DISK:
        yield "less than 3 GB of free disk"


def _is_ours(package: str) -> bool:
    spec = find_spec(package)
    return spec is not None and Path(spec.origin or "").parent.parent == HERE
