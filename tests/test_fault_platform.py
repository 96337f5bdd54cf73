"""Faults of the ground that rerec stands on: processes, locks, files, environments, and other libraries' noise."""

import json
import os

import pytest

from data_engine.provenance import provenance
from tests.test_cli import rerec


def test_fault_1_provenance_without_git_on_the_path_has_no_revision(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    facts = provenance(seed=1)
    assert facts["git"] == "" and facts["seed"] == 1 and facts["versions"]["verl"] == "0.9.1"


@pytest.mark.journey
def test_fault_1_commands_work_without_git_on_the_path(tmp_path):
    bare = {**os.environ, "PATH": str(tmp_path)}
    store = ("--store", tmp_path / "w.duckdb")
    for words in (("data", "import", "world", "--items", 300, "--users", 100, *store), ("data", "embed", "--epochs", 1, *store), ("doctor",)):
        done = rerec(*words, "--json", env=bare)
        assert done.returncode == 0 and json.loads(done.stdout), done.stderr[-500:]
