"""Files that are there whole or not at all: what reaches the disk before what, and that everything
is written in this one way.
"""

import ast
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_engine.runtime.atomic import draft, write
from data_engine.runtime.provenance import write_json
from tests.test_cli import ROOT

FILES = [
    path
    for room in ("agents", "data_engine", "rerec", "reward_server", "train")
    for path in (ROOT / room).rglob("*.py")
]
# renames that end no draft: a damaged checkpoint or an old graph set aside, the log of an earlier
# attempt
NO_DRAFTS = ("data_engine/graphs/arrays.py", "train/rft/checkpoints.py", "train/rft/resume.py")
# write into the draft, or the buffer, that they are handed
HANDED = (
    "agents/llm/smollm2.py",
    "data_engine/runtime/atomic.py",
    "data_engine/graphs/arrays.py",
    "data_engine/graphs/export.py",
    "data_engine/names/index.py",
    "train/rft/adapter.py",
    "train/reports/plots.py",
)
WRITERS = (
    "write_text",
    "write_bytes",
    "savefig",
    "save_pretrained",
    "save_file",
    "write_table",
    "copytree",
)
SAVERS = ("np.save", "torch.save", "OmegaConf.save", "json.dump")


@pytest.fixture
def events(monkeypatch) -> list[tuple[str, str]]:
    """("fsync", name of a file or folder) and ("replace", new name), in order."""
    seen = []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(handle):
        seen.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))))
        real_sync(handle)

    def replace(old, new):
        seen.append(("replace", Path(new).name))
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen


def test_fault_20_a_file_is_on_the_disk_before_its_name_and_then_the_name(tmp_path, events):
    write(tmp_path / "r/report.html", "é")
    assert events == [("fsync", "report.html"), ("replace", "report.html"), ("fsync", "r")]
    assert (tmp_path / "r/report.html").read_bytes() == "é".encode() and os.listdir(
        tmp_path / "r"
    ) == ["report.html"]


def test_fault_20_every_file_of_a_folder_is_on_the_disk_before_its_name(tmp_path, events):
    with draft(tmp_path / "model") as part:
        (part / "inner").mkdir(parents=True)
        (part / "inner/b").write_text("b")
        (part / "a").write_text("a")
    assert {e for e in events[:-2] if e[1] != "model"} == {
        ("fsync", "a"),
        ("fsync", "b"),
        ("fsync", "inner"),
    }
    assert events.index(("fsync", "b")) < events.index(("fsync", "inner")) and events[-3] == (
        "fsync",
        "model",
    )
    assert events[-2:] == [("replace", "model"), ("fsync", tmp_path.name)]


def test_fault_20_records_and_tables_are_brought_to_the_disk(tmp_path, events):
    from data_engine.datasets.parquet import write_verl

    write_json(tmp_path / "x.json", {"a": 1})
    write_verl(tmp_path / "x.parquet", [{"a": 1}])
    assert [e for e in events if e[0] == "replace"] == [
        ("replace", "x.json"),
        ("replace", "x.parquet"),
    ]
    assert events.index(("fsync", "x.parquet")) < events.index(("replace", "x.parquet"))


def test_fault_20_a_failure_keeps_the_old_file_and_leaves_no_draft(tmp_path):
    write(tmp_path / "f", "old")
    with pytest.raises(RuntimeError), draft(tmp_path / "f") as part:
        part.write_text("half")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["f"] and (tmp_path / "f").read_text() == "old"


def test_fault_20_what_cannot_reach_the_disk_is_not_there(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "f", "new")
    assert os.listdir(tmp_path) == []


def test_fault_20_writers_at_the_same_time_do_not_share_a_draft(tmp_path):
    with draft(tmp_path / "f") as one, draft(tmp_path / "f") as other:
        one.write_text("one"), other.write_text("other")
    assert one != other and (tmp_path / "f").read_text() == "one"  # the block that ends last
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write(tmp_path / "f", str(n) * 10_000), range(8)))
    found = (tmp_path / "f").read_text()
    assert len(found) == 10_000 and len(set(found)) == 1 and os.listdir(tmp_path) == ["f"]


def test_fault_20_a_file_system_that_cannot_sync_folders_is_no_fault(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "new"


def _calls(path: Path) -> list[tuple[str, int, int, bool]]:
    """(function called, number of arguments, line, whether it stands in a `with draft(…)` block) of
    every call in a file.
    """
    found = []

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.With):
            inside |= any(
                ast.unparse(item.context_expr).startswith("draft(") for item in node.items
            )
        if isinstance(node, ast.Call):
            found.append((ast.unparse(node.func), len(node.args), node.lineno, inside))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(path.read_text()), False)
    return found


def test_fault_20_nothing_renames_a_draft_but_the_one_module():
    """Path.replace has one argument, str.replace two."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        for name, arguments, _, _ in _calls(path)
        if name in ("os.replace", "os.rename")
        or name.endswith(".rename")
        or (name.endswith(".replace") and arguments == 1)
    }
    assert users <= {"data_engine/runtime/atomic.py", *NO_DRAFTS}


def test_fault_20_nothing_writes_a_file_in_place():
    """Whole files are written as drafts: in a `with draft(…)` block, or by a function that is
    handed one.
    """
    places = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in FILES
        for name, _, line, inside in _calls(path)
        if not inside
        and (name in SAVERS or name.rpartition(".")[2] in WRITERS)
        and path.relative_to(ROOT).as_posix() not in HANDED
    }
    assert places == set()
