"""Faults of the platform: processes, locks, files, environments, other libraries' noise."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_engine.errors import RunInUse
from data_engine.runtime.children import run_rerec
from data_engine.runtime.provenance import provenance
from data_engine.runtime.run_directory import RunDirectory
from reward_server.local import local_server
from tests.test_cli import ROOT, rerec

OURS = re.compile(
    r"(lightgcn|als|synth|eval|SFT|sequential) \d+/\d+ "
)  # how a line of progress begins
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
    for words in (
        ("data", "import", "world", "--items", 300, "--users", 100, *store),
        ("data", "embed", "--epochs", 1, *store),
        ("doctor",),
    ):
        done = rerec(*words, "--json", env=bare)
        assert done.returncode == 0 and json.loads(done.stdout), done.stderr[-500:]


@pytest.fixture
def decoys(tmp_path, monkeypatch) -> Path:
    """A current folder with folders that are called like ours and break when they are imported.

    `rerec` is what lies beside a checkout, no package.
    """
    for name in (*ROOMS, "tests", "journey", "multiprocessing"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            f"raise RuntimeError('the {name} of the current folder was imported')"
        )
    (tmp_path / "rerec").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.journey
def test_fault_2_commands_and_their_children_do_not_import_from_the_current_folder(
    decoys, film_store, tmp_path
):
    store = tmp_path / "films.duckdb"
    shutil.copy(film_store, store)
    script = [str(PYTHON.with_name("rerec"))]
    synth = (
        "synth",
        "--store",
        store,
        "--writer",
        "terse",
        "--sft",
        70,
        "--rl",
        0,
        "--validation",
        4,
        "--test",
        8,
        "--workers",
        2,
    )
    for words in (
        synth,
        (*synth[:-3], 9, *synth[-2:], "--ray"),
        ("eval", "--baseline", "popularity", "--split", "test", "--store", store),
    ):
        done = subprocess.run(
            [*script, *map(str, words)], capture_output=True, text=True, cwd=decoys, check=False
        )
        assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]
    assert rerec("verify", "--store", store, cwd=decoys).returncode == 0
    assert run_rerec(["doctor"], decoys / "log") == 0
    with local_server(store, decoys / "serve.log") as url:
        assert url.startswith("http://")


@pytest.mark.journey
def test_fault_2_ray_and_verl_do_not_import_from_the_current_folder(decoys, film_store, tmp_path):
    """One step of reinforcement from a policy that cannot write yet.

    What verl and Ray print meanwhile is in a log (fault 21).
    """
    sft = (
        "train",
        "sft",
        "--store",
        film_store,
        "--run",
        "sft",
        "--gold-steps",
        1,
        "--mixed-steps",
        1,
    )
    rft = (
        "train",
        "rft",
        "tiny-grpo",
        "--store",
        film_store,
        "--model",
        "sft/model",
        "--run",
        "rft",
        "--set",
        "trainer.total_training_steps=1",
    )
    for words in (sft, rft):
        done = rerec(*words, cwd=decoys)
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    assert (tmp_path / "rft/model/model.safetensors").is_file()
    step, *table = done.stdout.splitlines()
    assert (
        done.stderr == ""
        and "step 1/1 · reward" in step
        and not [line for line in table if not re.match("[┌│└]", line)]
    )
    log = (tmp_path / "rft/log/libraries.log").read_text()
    assert "engine is not available" in log and "Saving checkpoint" in log
    written = rerec("report", "rft", cwd=decoys)
    assert written.returncode == 0 and written.stderr == ""


def test_fault_2_nothing_starts_rerec_but_through_the_one_function():
    start = re.compile(r'"-m",\s*"(rerec|agents|data_engine|reward_server|train)')
    files = [path for room in (*ROOMS, "rerec", "tests") for path in (ROOT / room).rglob("*.py")]
    users = [path.relative_to(ROOT).as_posix() for path in files if start.search(path.read_text())]
    assert users == ["data_engine/runtime/children.py"]


def test_fault_18_a_blocking_error_of_the_work_is_not_read_as_another_process(tmp_path):
    with pytest.raises(BlockingIOError, match="of the work"), RunDirectory(tmp_path / "run").held():
        raise BlockingIOError("of the work")
    with RunDirectory(tmp_path / "run").held():  # it was let go
        pass


def test_fault_18_another_that_holds_the_directory_is_named_and_keeps_it(tmp_path):
    with RunDirectory(tmp_path / "run").held():
        for _ in range(2):
            with (
                pytest.raises(RunInUse, match="another process is still at work"),
                RunDirectory(tmp_path / "run").held(),
            ):
                raise AssertionError("two at a time")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("world") / "w.duckdb"


GOOD = (  # in order: each may need those before it
    "data import world --items 300 --users 100",
    "data embed --method als --epochs 1 --dims 8",
    "data embed --epochs 2 --dims 8",
    "synth --writer terse --sft 70 --rl 8 --validation 4 --test 8 --workers 2",
    "synth --writer terse --sft 72 --rl 8 --validation 4 --test 8 --workers 2 --ray",
    "synth report",
    "verify",
    "data stats",
    "data doctor",
    "data subset {folder}/sub.duckdb --core 2",
    "data export-graph {folder}/g.graphml",
    "data export-graph {folder}/g.pt",
    "data card {folder}/card",
    "eval --baseline popularity --split test",
    "score --audit",
    "train sft --run {folder}/sft --gold-steps 2 --mixed-steps 1",
    "eval {folder}/sft/model --max-tokens 16 --split test",
    "train rft tiny-grpo --dry-run --model {folder}/sft/model",
    "train sequential --run {folder}/next --methods popularity,lightgcn-mean,sasrec"
    " --seeds 0 --epochs 1",
    "doctor",
    "--version",
)


@pytest.mark.journey
@pytest.mark.parametrize("command", GOOD)
def test_fault_21_a_good_run_prints_only_our_lines(world, command):
    words = command.format(folder=world.parent).split()
    done = rerec(*words, *(() if words[0] in ("doctor", "--version") else ("--store", world)))
    assert done.returncode == 0, done.stderr[-1500:]
    ours = re.compile("(not checked|fine|the command): ") if "--dry-run" in words else OURS
    assert [line for line in done.stderr.splitlines() if not ours.match(line)] == []


@pytest.mark.journey
@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_21_a_server_that_was_stopped_has_said_only_where_it_is(
    film_store, tmp_path, workers
):
    with local_server(film_store, tmp_path / "log", ["--workers", workers]):
        pass
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert line.startswith("reward server: http://127.0.0.1:")


LIGHT = {  # command → what it says without torch
    "--version": "",
    "--help": "",
    "verify --store none.duckdb": "error: no store at none.duckdb",
    "data import tables none --store none.duckdb": "error: none is no folder",
    "data embed --store none.duckdb": "error: no store at none.duckdb",
    "data embed --store {films} --method magic": "error: no method 'magic'",
    "synth --store none.duckdb": "error: no store at none.duckdb",
    "score none.jsonl": "error: no file none.jsonl",
    "serve --store none.duckdb": "error: no store at none.duckdb",
    "eval --baseline popularity --store none.duckdb": "error: no store at none.duckdb",
    "train sft --store none.duckdb": "error: no store at none.duckdb",
    "train rft tiny-magic --store none.duckdb": "error: no recipe 'tiny-magic'",
    "train rft tiny-grpo --store none.duckdb": "error: no store at none.duckdb",
    "train sequential --store none.duckdb": "error: no store at none.duckdb",
    "train rechead --store none.duckdb": "error: no store at none.duckdb",
    "train rporec --store none.duckdb": "error: no store at none.duckdb",
    "report none": "error: none holds no evaluation",
}


@pytest.fixture
def no_torch(tmp_path) -> dict[str, str]:
    """An environment in which torch is installed and cannot be imported."""
    (tmp_path / "broken/torch").mkdir(parents=True)
    (tmp_path / "broken/torch/__init__.py").write_text(
        "raise ImportError('libtorch.so: cannot open shared object file')"
    )
    return {**os.environ, "PYTHONPATH": str(tmp_path / "broken")}


@pytest.mark.journey
@pytest.mark.parametrize("command", LIGHT)
def test_fault_gap_version_help_and_errors_do_not_import_torch(
    no_torch, film_store, tmp_path, command
):
    done = rerec(*command.format(films=film_store).split(), env=no_torch, cwd=tmp_path)
    assert done.stderr.startswith(LIGHT[command]) and len(done.stderr.splitlines()) == (
        1 if LIGHT[command] else 0
    ), done.stderr[-1500:]
    assert (done.returncode == 0) == (not LIGHT[command])


@pytest.mark.journey
def test_fault_gap_doctor_says_in_one_line_that_torch_does_not_work(no_torch, tmp_path):
    done = rerec("doctor", "--json", env=no_torch, cwd=tmp_path)
    assert json.loads(done.stdout)["ok"] is False and done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "error: torch does not work (libtorch.so: cannot open shared object file)"
    )


@pytest.mark.journey
def test_fault_gap_a_command_that_needs_torch_says_in_one_line_that_it_cannot_be_had(
    no_torch, film_store, tmp_path
):
    done = rerec(
        "train", "sft", "--store", film_store, "--run", tmp_path / "sft", env=no_torch, cwd=tmp_path
    )
    (line,) = done.stderr.splitlines()
    assert (
        done.returncode == 1
        and "libtorch.so" in line
        and "`rerec doctor`" in line
        and not (tmp_path / "sft").exists()
    )
