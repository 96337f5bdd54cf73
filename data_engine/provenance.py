"""Where an artefact came from: git revision, versions, time. Written beside everything a run makes."""

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data_engine.atomic import write

PACKAGES = ("verl", "torch", "transformers", "ray", "langgraph", "duckdb", "numpy")


def provenance(**facts: object) -> dict[str, object]:
    """Git revision of the code ("" outside a checkout or without git), versions of what matters, and `facts` (config, seeds, digests)."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return {"git": _revision(), "python": platform.python_version(), "versions": found, **facts}


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON: a reader never sees half of it."""
    write(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _revision() -> str:
    words = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        ask = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return ""
    return ask.stdout.strip()
