"""OpenEnv: the package passes its validator, and an episode through its client has our score."""

import json
import shutil
import subprocess
import time

import pytest

from data_engine.http.child import START_SECONDS
from tests.doors.conftest import code_of
from tests.structure import ROOT

pytestmark = pytest.mark.doors
PACKAGE = ROOT / "environments/openenv_rerec"
PLAY = """
import json
from page import *

played, titles = [], []
for index in range(3):
    played.append(episode(index, looks_once))
    titles.append(looks_once.title)
with RerecEnv(base_url=URL).sync() as environment:
    one = environment.reset(episode_id=played[1][0])
    again = environment.state().episode_id
    try:
        environment.reset(episode_id="nope")
        unknown = "played"
    except Exception as error:
        unknown = str(error)
print(json.dumps({"played": played, "titles": titles, "again": again, "unknown": unknown}))
"""


@pytest.fixture(scope="module")
def environment(maker, tmp_path_factory):
    copy = tmp_path_factory.mktemp("package") / PACKAGE.name  # setuptools builds where it lies
    shutil.copytree(PACKAGE, copy)
    return maker.make("openenv", "openenv==0.10.0", str(copy))


@pytest.fixture(scope="module")
def openenv_server(environment, dataset, server, tmp_path_factory):
    """The environment's server on a free port."""
    yield from serving(environment, dataset, server, tmp_path_factory.mktemp("openenv"))


def serving(environment, dataset, server, folder):
    variables = environment.variables(REREC_DATASET=str(dataset / "rl.jsonl"), REREC_URL=server)
    log = folder / "log"
    words = (environment.python, "-m", "uvicorn", "openenv_rerec.server.app:app", "--port", "0")
    with log.open("w") as out:
        process = subprocess.Popen(
            [*map(str, words)], cwd=folder, env=variables, stdout=out, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + START_SECONDS
    while "running on " not in log.read_text():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    yield log.read_text().split("running on ")[1].split()[0]
    process.terminate()
    process.wait(30)


def test_episodes_have_the_servers_score(environment, openenv_server, rows, expected, tmp_path):
    (tmp_path / "page.py").write_text(code_of("train-with-openenv.md"))
    (tmp_path / "play.py").write_text(PLAY)
    words = (environment.python, "play.py")
    printed = environment.run(*words, cwd=tmp_path, OPENENV_URL=openenv_server)
    found = json.loads(printed.splitlines()[-1])
    for row, title, (example_id, reward) in zip(
        rows, found["titles"], found["played"], strict=False
    ):
        assert example_id == row["example_id"]
        assert reward == expected(example_id, f"<answer>{title}</answer>").score
    assert found["again"] == rows[1]["example_id"] and "nope" in found["unknown"]


def test_the_package_passes_the_validator(environment, openenv_server, tmp_path):
    words = (environment.path / "bin/openenv", "validate")
    printed = environment.run(*words, "--level", "static", PACKAGE, cwd=tmp_path)
    assert "Verdict: PASS" in printed
    environment.run(*words, "--url", openenv_server, cwd=tmp_path)


def test_rows_of_another_graph_are_an_error(environment, dataset, server, tmp_path):
    row = json.loads((dataset / "rl.jsonl").read_text().splitlines()[0])
    (tmp_path / "rl.jsonl").write_text(json.dumps(row | {"graph_digest": "another"}) + "\n")
    script = """
from openenv_rerec.models import RerecAction
from openenv_rerec.server.environment import RerecEnvironment
environment = RerecEnvironment()
environment.reset()
try:
    print(environment.step(RerecAction(response="<answer>x</answer>")).reward)
except RuntimeError as error:
    print(error)
"""
    said = environment.run(
        environment.python,
        "-c",
        script,
        cwd=tmp_path,
        REREC_DATASET=str(tmp_path / "rl.jsonl"),
        REREC_URL=server,
    )
    assert "409" in said and "another" in said
