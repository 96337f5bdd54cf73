"""Where an artefact came from: git revision, versions, time. Written beside everything a run makes."""

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
    """Write through a temporary file, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    draft.replace(path)


def _revision() -> str:
    words = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        ask = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return ""
    return ask.stdout.strip()
