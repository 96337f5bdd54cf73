"""`rerec doctor`: whether this machine can run everything."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from data_engine.errors import RerecError

doctor = typer.Typer(pretty_exceptions_enable=False)
PACKAGES = ("agents", "data_engine", "rerec", "reward_server", "train")


class MachineError(RerecError):
    """This machine cannot run everything; the message says why."""


@doctor.command()
def _doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as one JSON object.")
    ] = False,
) -> None:
    """Check that the libraries work, cores, memory, disk and that our packages are the ones imported. Exits non-zero when something is wrong.

    Example: rerec doctor --json
    """
    from data_engine.runtime.console import show
    from data_engine.runtime.provenance import broken, provenance

    here = Path(__file__).resolve().parents[1]
    facts = provenance()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    wrong = [name for name in PACKAGES if Path(find_spec(name).origin).parent.parent != here]
    problems = [
        f"package {name} is not ours (another distribution has the same import name)"
        for name in wrong
    ]
    problems += [
        f"{name} is not installed" for name, found in facts["versions"].items() if found == "absent"
    ]
    problems += [failing] if (failing := broken()) else []
    problems += ["less than 8 GB of memory"] if memory < 7.5 else []
    free = shutil.disk_usage(here).free / 2**30
    problems += ["less than 3 GB of free disk"] if free < 3 else []
    show(
        {
            **facts["versions"],
            "python": facts["python"],
            "cores": os.cpu_count(),
            "memory_gb": round(memory, 1),
            "free_disk_gb": round(free, 1),
            "ok": not problems,
        },
        as_json,
    )
    if problems:
        raise MachineError("; ".join(problems) + ": run ./justw again to repair the environment")
