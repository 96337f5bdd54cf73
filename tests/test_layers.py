"""The rooms and who may import whom; our packages and nobody else's of the same name."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from rerec.parts import declared

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.journey
def test_import_directions_hold():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("room", ["agents", "data_engine", "reward_server", "train"])
def test_a_room_is_ours(room):
    assert Path(importlib.import_module(room).__file__).parent == ROOT / room


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("verl", "train/verl_plugin"),
        ("duckdb", "data_engine"),
        ("langgraph", "agents"),
        ("fastapi", ("reward_server/server", "agents/assistant/server")),
    ],
)
def test_a_heavy_library_has_one_home(library, home):
    users = {
        str(path.relative_to(ROOT))
        for room in ("agents", "data_engine", "reward_server", "train")
        for path in (ROOT / room).rglob("*.py")
        if any(
            line.strip().startswith((f"import {library}", f"from {library}"))
            for line in path.read_text().splitlines()
        )
    }
    assert users and all(user.startswith(home) for user in users)


def test_the_lock_pins_everything_we_import_and_not_openai_agents():
    lock, server = (pins(ROOT / name) for name in ("requirements.lock", "requirements-serve.lock"))
    assert "openai-agents" not in lock and server.items() <= lock.items()
    assert {*declared("serve")} <= set(server)
    assert {*declared("all"), *declared("dev"), *declared("smollm2")} - {"torch"} <= set(lock)
    torch = (ROOT / "requirements-torch.lock").read_text(encoding="utf-8").splitlines()[-1]
    assert torch == str(declared("train")["torch"]).split(";")[0].strip()


def pins(lock: Path) -> dict[str, str]:
    """Canonical name → pin with its hashes, one per line; each has at least one."""
    text = lock.read_text(encoding="utf-8").replace(" \\\n", " ")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("==")
            assert "--hash=sha256:" in rest, line
            found[canonicalize_name(name)] = rest
    return found


@pytest.mark.journey
def test_the_reward_server_and_the_front_door_stay_light():
    code = (
        "import sys, {0}; loaded = {{name.split('.')[0] for name in sys.modules}}; "
        "heavy = {{'torch', 'verl', 'ray', 'transformers', 'langgraph', 'duckdb'}}; "
        "print(sorted(loaded & heavy))"
    )
    out = [
        subprocess.run(
            [sys.executable, "-c", code.format(m)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        ).stdout
        for m in ("reward_server.server.app", "rerec")
    ]
    assert out == ["['duckdb']\n", "[]\n"]
