"""Environments of other trainers' packages, each made once per test run, by uv from PyPI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.structure import ROOT

SECONDS = 600  # for one command


class Environment:
    """A virtual environment: `run` a program of it, in a folder, with the variables given."""

    def __init__(self, path: Path) -> None:
        self.path, self.python = path, path / "bin/python"

    def variables(self, **given: str) -> dict[str, str]:
        """This process's variables with the environment's programs first, and `given`."""
        inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        return inherited | {"PATH": f"{self.path / 'bin'}:{os.environ['PATH']}"} | given

    def run(self, *words: object, cwd: Path, **variables: str) -> str:
        """What a program prints. Fails the test when the program fails."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout


class Maker:
    """Makes environments below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uv = shutil.which("uv") or self._install_uv()

    def make(self, name: str, *packages: str, python: str = sys.executable) -> Environment:
        """An environment with these packages and all that they need."""
        made = Environment(self.folder / name)
        if not made.python.exists():
            self._call(self.uv, "venv", "--quiet", "--python", python, made.path)
        if packages:
            words = ("pip", "install", "--quiet", "--python", made.python, *packages)
            self._call(self.uv, *words)
        return made

    def beside_ours(self, name: str, *packages: str, needs: bool = False) -> Environment:
        """The same, with what it lacks from this environment; rerec itself is not importable.

        needs: install what the packages need too, in the versions that they want.
        """
        made = self.make(name)
        (site,) = made.path.glob("lib/python3*/site-packages")
        (ours,) = (ROOT / ".venv").glob("lib/python3*/site-packages")
        (site / "shared.pth").write_text(f"{ours}\n")
        words = ("pip", "install", "--quiet", "--python", made.python)
        self._call(self.uv, *words, *(() if needs else ("--no-deps",)), *packages)
        return made

    def _install_uv(self) -> str:
        folder = self.folder / "uv"
        self._call(sys.executable, "-m", "venv", folder)
        self._call(folder / "bin/python", "-m", "pip", "install", "--quiet", "uv")
        return str(folder / "bin/uv")

    def _call(self, *words: object) -> None:
        done = subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]


def newer_python(minor: int) -> str:
    """A Python of at least 3.`minor`; skips the test where there is none."""
    named = [f"python3.{n}" for n in range(minor, 16)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [str(path) for n in range(minor, 16) for path in pyenv.glob(f"3.{n}.*/bin/python")]
    for program in (*found, *filter(None, map(shutil.which, named))):
        works = subprocess.run([program, "--version"], capture_output=True, check=False)
        if works.returncode == 0:
            return program
    pytest.skip(f"no Python 3.{minor} or newer on this machine")
