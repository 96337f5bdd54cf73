"""`rerec doctor`: whether this machine can run everything."""

import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from data_engine.errors import RerecError
from data_engine.runtime import machine
from rerec.parts import PARTS, lacking

doctor = typer.Typer(pretty_exceptions_enable=False)
PACKAGES = ("agents", "data_engine", "rerec", "reward_server", "train")
LEAST_MEMORY, LEAST_DISK = 7.5, 3  # GB; of nominally 8 GB a little is always taken
HEAVY = ("all", "train")  # what so much memory and disk is for
SHOWN = 5  # packages that are named
HERE = Path(__file__).resolve().parents[1]


class MachineError(RerecError):
    """This machine cannot run everything; the message says why."""


@doctor.command()
def _doctor(
    part: Annotated[
        str, typer.Option(help=f"Check for one part alone: {', '.join(PARTS)}.")
    ] = "all",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as one JSON object.")
    ] = False,
) -> None:
    """Check that the libraries work, cores, memory, disk and that our packages are the ones
    imported; show which parts are installed. Exits non-zero when something is wrong.

    Example: rerec doctor --part serve
    """
    from data_engine.runtime.console import show
    from data_engine.runtime.provenance import versions

    if part not in ("all", *PARTS):
        raise MachineError(f"no part {part!r}: choose from all, {', '.join(PARTS)}")
    memory = machine.memory()
    disk = shutil.disk_usage(HERE).free / 2**30
    problems = [*_faults(part), *(_shortages(memory, disk) if part in HEAVY else ())]
    found: dict[str, object] = {
        **versions(),
        **{f"part {name}": _state(name) for name in PARTS},
        "python": platform.python_version(),
        "cores": machine.cores(),
        "memory_gb": round(memory, 1),
        "free_disk_gb": round(disk, 1),
        "ok": not problems,
    }
    show(found, as_json)
    if problems:
        raise MachineError("; ".join(problems))


def _state(part: str) -> str:
    return f"lacks {_listed(missing)}" if (missing := lacking(part)) else "installed"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _faults(part: str) -> Iterator[str]:
    """What is wrong with the environment, and what mends it."""
    from data_engine.runtime.provenance import broken

    for name in PACKAGES:
        if not _is_ours(name):
            yield f"package {name} is not ours (another distribution has the same import name)"
    mend = f'./justw in a checkout, or pip install "rerec[{part}]"'
    if missing := lacking(part):
        yield f"rerec[{part}] lacks {_listed(missing)}: {mend}; --part checks one part alone"
    if failing := broken():
        yield f"{failing}: {mend}"


def _shortages(memory: float, disk: float) -> Iterator[str]:
    """What this machine has too little of; both in GB."""
    if memory < LEAST_MEMORY:
        yield "less than 8 GB of memory"
    if disk < LEAST_DISK:
        yield "less than 3 GB of free disk"


def _is_ours(package: str) -> bool:
    spec = find_spec(package)
    return spec is not None and Path(spec.origin or "").parent.parent == HERE
