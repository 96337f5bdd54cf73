"""The wheel, made from the sdist, in environments of its own: each part does its work there.

Nothing of the checkout is importable in them; packages have the versions of requirements.lock.
"""

import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from data_engine.store.database import Store
from tests.structure import ROOMS, ROOT

pytestmark = pytest.mark.doors
SCORE = """
import json, sys
from rerec import RewardClient
from reward_server.local import local_server
from reward_server.wire import Response

store, example, text = sys.argv[1:]
with local_server(store) as url, RewardClient(url) as client:
    (score,) = client.score([Response(example, text)])
print(json.dumps([score.status, score.score]))
"""
MISSING = {  # command → the part that it names in the base install
    "data import world": "data",
    "verify": "data",
    "synth --sft 1": "agents",
    "ask films": "agents",
    "serve": "serve",
    "score --audit": "serve",
    "eval --baseline popularity": "train",
    "train sft": "train",
    "train rft tiny-grpo": "train",
    "demo": "train",
}


@pytest.fixture(scope="module")
def built(maker, tmp_path_factory):
    """The folder with the sdist, and the wheel made from it."""
    out = tmp_path_factory.mktemp("built")
    words = (maker.uv, "build", "--quiet", "--out-dir", out, ROOT)
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def installed(maker, built):
    """installed("serve") → an environment with that part; "" is the base install."""
    (wheel,) = built.glob("*.whl")

    def make(part):
        asked = f"rerec[{part}] @ {wheel.as_uri()}" if part else str(wheel)
        return maker.make(f"part-{part}", asked, "--constraint", str(ROOT / "requirements.lock"))

    return make


def rerec(environment, words, cwd):
    """The ended process of a command, in an empty folder."""
    return subprocess.run(
        [environment.path / "bin/rerec", *map(str, words)],
        cwd=cwd,
        env=environment.variables(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_wheel_and_sdist_hold_every_file_of_the_packages(built):
    listed = subprocess.run(
        ["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = set(listed.stdout.split())
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert wanted <= held and not any(name.startswith("tests/") for name in held)


def test_the_base_install_shows_its_help_and_names_the_part_that_a_command_needs(
    installed, tmp_path
):
    base = installed("")
    page = rerec(base, ["--help"], tmp_path)
    assert page.returncode == 0 and "serve" in page.stdout and page.stderr == ""
    store = tmp_path / "runs/store.duckdb"
    store.parent.mkdir()
    store.touch()
    for command, part in MISSING.items():
        done = rerec(base, command.split(), tmp_path)
        who = "the demo" if command == "demo" else "this command"
        line = f'error: {who} needs rerec[{part}]: pip install "rerec[{part}]"\n'
        assert (done.returncode, done.stderr) == (1, line), command
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [store]
    code = "from rerec import Example, RewardClient, Weights; print(Weights())"
    assert base.run(base.python, "-P", "-c", code, cwd=tmp_path).startswith("Weights(")
    doctor = rerec(base, ["doctor"], tmp_path)
    assert doctor.returncode == 1 and "--part checks one part alone" in doctor.stderr


def test_the_server_of_the_part_serve_scores_a_response(installed, film_store, expected, tmp_path):
    serve = installed("serve")
    with Store.open(film_store, read_only=True) as store:
        example = store.examples("rl")[0]
        titles = dict(store.rows("SELECT item_id, title FROM items"))
    text = f"<answer>{titles[example.gold[0]]}</answer>"
    words = (serve.python, "-P", "-c", SCORE, film_store, example.example_id, text)
    status, value = json.loads(serve.run(*words, cwd=tmp_path))
    wanted = expected(example.example_id, text)
    assert (status, value) == (wanted.status, pytest.approx(wanted.score)) and value > 0.5
    assert rerec(serve, ["doctor", "--part", "serve"], tmp_path).returncode == 0
    assert not list(serve.path.glob("lib/python3*/site-packages/scipy"))


def test_the_part_agents_synthesises_and_verifies_examples(installed, tmp_path: Path):
    agents = installed("agents")
    store = ("--store", "w.duckdb")
    for words in (
        ("data", "import", "world", "--items", 300, "--users", 100, *store),
        ("data", "embed", "--method", "als", "--epochs", 1, *store),
        ("synth", "--sft", 8, "--rl", 0, "--validation", 0, "--test", 4, "--workers", 1, *store),
        ("verify", *store),
    ):
        done = rerec(agents, words, tmp_path)
        assert done.returncode == 0, done.stderr
    lightgcn = rerec(agents, ("data", "embed", *store), tmp_path)
    assert 'LightGCN needs torch: pip install "rerec[rporec]", or take' in lightgcn.stderr
