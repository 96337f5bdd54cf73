"""Faults of the ground that rerec stands on: processes, locks, files, environments, and other libraries' noise."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_engine.provenance import provenance
from reward_server.local import local_server
from tests.test_cli import ROOT, rerec
from train.child import run_rerec
from train.errors import TrainError
from train.lock import alone

ROOMS = ("agents", "data_engine", "reward_server", "train")
PYTHON = Path(sys.executable)


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


@pytest.fixture
def decoys(tmp_path, monkeypatch) -> Path:
    """A current folder whose folders are called like ours and break when they are imported; `rerec` is what lies beside a checkout, no package."""
    for name in (*ROOMS, "tests", "journey", "multiprocessing"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('the {name} of the current folder was imported')")
    (tmp_path / "rerec").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.journey
def test_fault_2_commands_and_their_children_do_not_import_from_the_current_folder(decoys, film_store, tmp_path):
    store = tmp_path / "films.duckdb"
    shutil.copy(film_store, store)
    script = [str(PYTHON.with_name("rerec"))]
    synth = ("synth", "--store", store, "--writer", "terse", "--sft", 70, "--rl", 0, "--validation", 4, "--test", 8, "--workers", 2)
    for words in (synth, (*synth[:-3], 9, *synth[-2:], "--ray"), ("eval", "--baseline", "popularity", "--split", "test", "--store", store)):
        done = subprocess.run([*script, *map(str, words)], capture_output=True, text=True, cwd=decoys, check=False)
        assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]
    assert rerec("verify", "--store", store, cwd=decoys).returncode == 0
    assert run_rerec(["doctor"], decoys / "log") == 0
    with local_server(store, decoys / "serve.log") as url:
        assert url.startswith("http://")


@pytest.mark.journey
def test_fault_2_ray_and_verl_do_not_import_from_the_current_folder(decoys, film_store, tmp_path):
    """One step of reinforcement from a policy that cannot write yet."""
    sft = ("train", "sft", "--store", film_store, "--run", "sft", "--gold-steps", 1, "--mixed-steps", 1)
    rft = ("train", "rft", "tiny-grpo", "--store", film_store, "--model", "sft/model", "--run", "rft", "--set", "trainer.total_training_steps=1")
    for words in (sft, rft):
        done = rerec(*words, cwd=decoys)
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    assert (tmp_path / "rft/model/model.safetensors").is_file()


def test_fault_2_nothing_starts_rerec_but_through_the_one_function():
    start = re.compile(r'"-m",\s*"(rerec|agents|data_engine|reward_server|train)')
    files = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")] + [ROOT / "journey.py"]
    users = [path.relative_to(ROOT).as_posix() for path in files if start.search(path.read_text())]
    assert users == ["data_engine/children.py"]


def test_fault_18_a_blocking_error_of_the_work_is_not_read_as_another_process(tmp_path):
    with pytest.raises(BlockingIOError, match="of the work"), alone(tmp_path / "run"):
        raise BlockingIOError("of the work")
    with alone(tmp_path / "run"):  # it was let go
        pass


def test_fault_18_another_that_holds_the_directory_is_named_and_keeps_it(tmp_path):
    with alone(tmp_path / "run"):
        for _ in range(2):
            with pytest.raises(TrainError, match="another process is still at work"), alone(tmp_path / "run"):
                raise AssertionError("two at a time")
