"""Conversations kept in a real Postgres (its server from the system) by `--checkpoints`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from data_engine.runtime.children import rerec_command
from tests.structure import ROOT

pytestmark = pytest.mark.doors
PROGRAMS = Path("/usr/lib/postgresql")  # where Debian has them, by version
SAY = """
import sys
from agents.assistant.assistant import Assistant
store, url, *messages = sys.argv[1:]
with Assistant(store, checkpoints=url) as assistant:
    for message in messages:
        answer = assistant.reply("t", message.replace("NUL", chr(0)))
    print(" · ".join(one.text for one in answer.conditions), len(assistant.turns("t", 9)))
    if message == "bye":
        assistant.forget("t")
        print(assistant.state("t"))
"""


def program(name):
    found = shutil.which(name) or next(map(str, PROGRAMS.glob(f"*/bin/{name}")), None)
    return found or pytest.skip(f"{name} of Postgres is not installed")


def call(*words):
    """The server refuses to run as root."""
    user = "postgres" if os.getuid() == 0 else None
    subprocess.run(
        words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user
    )


@pytest.fixture
def postgres(tmp_path_factory):
    """The URL of a server that listens on a socket of its own."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    folder = tmp_path_factory.mktemp("pg")
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        for parent in folder.parents[:-2]:
            parent.chmod(parent.stat().st_mode | 0o011)  # to reach it
    data = str(folder / "data")
    call(initdb, "-D", data, "-U", "postgres", "-A", "trust")
    options = f"-c listen_addresses= -k {folder}"
    call(pg_ctl, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    yield f"postgresql://postgres@/postgres?host={folder}"
    call(pg_ctl, "-D", data, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def environment(maker):
    packages = ("psycopg", "psycopg-binary", "psycopg-pool")
    return maker.beside_ours("postgres", "langgraph-checkpoint-postgres", *packages)


def test_a_conversation_goes_on_in_another_process_and_is_forgotten(
    environment, film_store, postgres, tmp_path
):
    def say(*messages):
        words = (environment.python, "-c", SAY, film_store, postgres, *messages)
        return environment.run(*words, cwd=tmp_path, PYTHONPATH=str(ROOT)).split("\n")[:-1]

    assert say("a film from before 1990", "not a NUL 🙂 thing") == ["from before 1990 2"]
    assert say("from after 1980") == ["from before 1990 · from after 1980 3"]
    assert say("bye") == ["from before 1990 · from after 1980 4", "None"]


def test_a_server_that_is_not_there_is_one_line_without_the_password(
    environment, film_store, tmp_path
):
    url = "postgresql://me:secret@127.0.0.1:1/none"
    words = rerec_command("chat", "--store", film_store, "--checkpoints", url)
    done = subprocess.run(
        [str(environment.python), *words[1:]],
        cwd=tmp_path,
        env=environment.variables(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode and "Postgres cannot be used: " in done.stderr
    assert done.stderr.count("\n") == 1 and "secret" not in done.stdout + done.stderr
