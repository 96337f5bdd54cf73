"""Where an artefact came from: git revision, versions, time. Written beside everything a run
makes.
"""

import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data_engine.runtime.atomic import write

PACKAGES = (
    "numpy",
    "duckdb",
    "langgraph",
    "ray",
    "torch",
    "transformers",
    "verl",
)  # what needs others after them
ABSENT = "absent"


_TRY = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, flush=True)
    try:
        importlib.import_module(name)
    except BaseException as error:
        sys.exit((str(error).strip().splitlines() or [type(error).__name__])[0])
"""


def broken() -> str:
    """The first of PACKAGES that is installed and cannot be imported, with the reason; "" when all
    can. Another process tries, which may crash or take seconds.
    """
    installed = [name for name, found in versions().items() if found != ABSENT]
    words = [sys.executable, "-P", "-W", "ignore", "-c", _TRY, *installed]
    tried = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if not tried.returncode:
        return ""
    name = [word for word in tried.stdout.splitlines() if word in PACKAGES][-1]
    lines = tried.stderr.strip().splitlines() if tried.returncode > 0 else []
    return (
        f"{name} does not work "
        f"({lines[-1] if lines else f'its import ended the process with {tried.returncode}'})"
    )


def provenance(**facts: object) -> dict[str, object]:
    """Git revision of the code ("" outside a checkout or without git), versions of what matters,
    and `facts` (config, seeds, digests).
    """
    python = platform.python_version()
    return {"git": _revision(), "python": python, "versions": versions(), **facts}


def versions() -> dict[str, str]:
    """The versions of PACKAGES that are installed, ABSENT for the others."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ABSENT
    return found


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON: a reader never sees half of it."""
    write(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _revision() -> str:
    words = [
        "git",
        "-C",
        str(Path(__file__).resolve().parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
    ]
    try:
        ask = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return ""
    return ask.stdout.strip()
