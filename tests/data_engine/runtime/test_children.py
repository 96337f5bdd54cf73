"""A command that runs another: it leaves nothing running."""

import re
import signal
import socket
import subprocess
import sys

import pytest

from data_engine.runtime.children import run_rerec
from tests.test_cli import wait_for

pytestmark = pytest.mark.journey
RUN = (
    "import sys; from pathlib import Path; from data_engine.runtime.children import run_rerec; "
    "print(run_rerec(sys.argv[2:], Path(sys.argv[1])))"
)


def test_its_exit_code_and_its_words(tmp_path):
    log = tmp_path / "log"
    assert (
        run_rerec(["--help"], log) == 0
        and run_rerec(["serve", "--store", str(tmp_path / "none.duckdb")], log) == 1
    )
    assert "none.duckdb" in log.read_text()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_parent(film_store, tmp_path, name):
    log = tmp_path / "log"
    words = ["serve", "--store", str(film_store), "--port", "0"]
    parent = subprocess.Popen(
        [sys.executable, "-c", RUN, str(log), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_for(parent, lambda: log.exists() and "reward server: http://" in log.read_text())
    port = int(re.search(r"http://127.0.0.1:(\d+)", log.read_text())[1])
    parent.send_signal(name)
    assert (
        "run the same command again" in parent.communicate(timeout=60)[0] and parent.returncode == 1
    )
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
