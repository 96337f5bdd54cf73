"""`just bench installs [PART …]`: seconds and megabytes of each part, in a clean environment.

The versions are those installed here, which are the lock's; torch is its build for CPUs. What pip
has cached counts as on a second install: only a first one downloads. The figure is the seconds of
the reward server's part.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rerec.parts import PARTS
from tests.bench.load import report
from tests.structure import ROOT

SECONDS = 40.0
BASE = "none"


def required(asked: Requirement) -> Iterator[Requirement]:
    """What a package asks for, with the extras that it is asked for with."""
    for line in requires(asked.name) or ():
        needed = Requirement(line)
        extras = ("", *asked.extras)
        if not needed.marker or any(needed.marker.evaluate({"extra": one}) for one in extras):
            yield needed


def closure(part: str) -> dict[str, str]:
    """Name → version of all packages that `rerec[part]` brings."""
    found: dict[str, str] = {}
    waiting = [Requirement("rerec" if part == BASE else f"rerec[{part}]")]
    seen = set[tuple[str, frozenset[str]]]()
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        key = (name, frozenset(asked.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # of another platform, or not needed here
        waiting += required(asked)
    return {name: found[name] for name in sorted(found) if name != "rerec"}


def install(part: str, folder: Path) -> tuple[float, float, int]:
    """Seconds, megabytes and packages of an environment with a part and rerec itself."""
    environment, wanted = folder / part, closure(part)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile"]
    pins = [f"{name}=={known.split('+')[0]}" for name, known in wanted.items() if name != "torch"]
    subprocess.run([*pip, "--no-deps", *pins], check=True, stderr=subprocess.DEVNULL)
    if "torch" in wanted:
        torch = ROOT / "requirements-torch.lock"
        subprocess.run([*pip, "-r", torch], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([*pip, "--no-deps", ROOT], check=True, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    size = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file())
    return seconds, size / 2**20, len(wanted)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="just bench installs")
    parser.add_argument("parts", nargs="*", default=[BASE, *PARTS[:5], "all"])
    serving = 0.0
    for part in parser.parse_args().parts:
        with tempfile.TemporaryDirectory() as folder:
            seconds, size, count = install(part, Path(folder))
        serving = seconds if part == "serve" else serving
        print(f"{part:<10}{seconds:7.1f} s {size:7.0f} MB {count:4} packages", flush=True)
    if serving:
        report("installs", serving, "s for serve", f"<= {SECONDS:g}", serving <= SECONDS)


if __name__ == "__main__":
    main()
