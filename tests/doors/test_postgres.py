"""Conversations kept in a real Postgres (its server from the system) by `--checkpoints`."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

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


class Server(NamedTuple):
    """Its URL, and the words that start and stop it."""

    url: str
    start: tuple[str, ...]
    stop: tuple[str, ...]


@pytest.fixture
def postgres(tmp_path_factory):
    """A server that listens on a socket of its own."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    folder = tmp_path_factory.mktemp("pg")
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        for parent in folder.parents[:-2]:
            parent.chmod(parent.stat().st_mode | 0o011)  # to reach it
    data = str(folder / "data")
    call(initdb, "-D", data, "-U", "postgres", "-A", "trust")
    options = f"-c listen_addresses= -k {folder}"
    server = Server(
        f"postgresql://postgres@/postgres?host={folder}",
        (pg_ctl, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start"),
        (pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"),
    )
    call(*server.start)
    yield server
    call(*server.stop)


@pytest.fixture(scope="module")
def environment(maker):
    packages = ("psycopg", "psycopg-binary", "psycopg-pool")
    return maker.beside_ours("postgres", "langgraph-checkpoint-postgres", *packages)


def test_a_conversation_goes_on_in_another_process_and_is_forgotten(
    environment, film_store, postgres, tmp_path
):
    def say(*messages):
        words = (environment.python, "-c", SAY, film_store, postgres.url, *messages)
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


def test_a_server_that_goes_away_costs_one_line_and_the_conversation_goes_on(
    environment, film_store, postgres, tmp_path
):
    words = rerec_command("chat", "--store", film_store, "--checkpoints", postgres.url)
    chat = subprocess.Popen(
        [str(environment.python), *words[1:]],
        cwd=tmp_path,
        env=environment.variables(PYTHONPATH=str(ROOT)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )

    def say(message, until):
        """What is printed, up to the line that holds these words."""
        print(message, file=chat.stdin)
        lines = []
        while not lines or until not in lines[-1]:
            lines.append(chat.stdout.readline())
            assert lines[-1], "".join(lines)
        return "".join(lines)

    say("a film from before 1990", "before 1990")
    call(*postgres.stop)
    assert "Traceback" not in say("from after 1970", "Postgres cannot be used: ")
    call(*postgres.start)
    assert "before 1990" in say("from after 1980", "after 1980")
    said, _ = chat.communicate("/quit\n", timeout=60)
    assert chat.returncode == 0 and "1970" not in said and "Traceback" not in said
