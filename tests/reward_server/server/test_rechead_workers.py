"""A RecHead in forked workers, where torch must not have run before the fork."""

import os
import subprocess
import sys

import httpx
import pytest

from reward_server.errors import RewardError
from reward_server.local import local_server
from tests.reward_server.server.support import save_untrained_head

pytestmark = pytest.mark.journey


def test_fault_03_a_rechead_answers_in_every_worker(store, tmp_path):
    asks = save_untrained_head(store, tmp_path / "head")
    threads = {
        "OMP_NUM_THREADS": "2"
    }  # of one thread torch makes no pool that a fork would wait for
    with local_server(
        store, options=["--rechead", str(tmp_path / "head"), "--workers", "2"], environment=threads
    ) as url:
        for _ in range(6):  # each over a connection of its own: some to each worker
            found = httpx.post(f"{url}/v1/rechead/score", json={"responses": asks}, timeout=120)
            assert (
                found.status_code == 200
                and [s["status"] for s in found.json()["scores"]] == ["ok"] * 40
            )


FORKS = """
import os, signal, sys
from pathlib import Path
from reward_server.snapshot import Snapshot
from reward_server.wire import HeadAsk

snapshot = Snapshot.load(Path(sys.argv[1]), Path(sys.argv[2]))
if not (child := os.fork()):
    # In a fork of a process in which torch has run it would wait for ever for its threads.
    signal.alarm(60)
    snapshot.start_head()
    items = snapshot.graph.arrays.item_ids
    text = "so <answer>a film</answer>"
    snapshot.head.score([HeadAsk(history=[item], response=text) for item in items], 10)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_fault_03_what_is_loaded_before_a_fork_can_be_asked_after_it(store, tmp_path):
    save_untrained_head(store, tmp_path / "head")
    words = [sys.executable, "-c", FORKS, str(store), str(tmp_path / "head")]
    assert (
        subprocess.run(words, env={**os.environ, "OMP_NUM_THREADS": "2"}, check=False).returncode
        == 0
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_03_a_head_that_cannot_be_asked_is_said_at_the_start(store, tmp_path, workers):
    save_untrained_head(store, tmp_path / "head", encoder=str(tmp_path / "no encoder"))
    options = ["--rechead", str(tmp_path / "head"), "--workers", workers]
    with (
        pytest.raises(RewardError, match="ended at start with code 1: error: no sentence encoder"),
        local_server(store, tmp_path / "log", options),
    ):
        pass


def test_fault_06_workers_that_cannot_start_do_not_take_over(store, tmp_path):
    """The new RecHead's files are well, but its encoder is missing, which a worker finds out."""
    asks = save_untrained_head(store, tmp_path / "head")
    with local_server(
        store, options=["--rechead", str(tmp_path / "head"), "--workers", "2"]
    ) as url:
        before = httpx.get(f"{url}/ready").json()
        save_untrained_head(store, tmp_path / "head", encoder=str(tmp_path / "no encoder"))
        assert httpx.post(f"{url}/v1/reload", timeout=120).status_code == 503
        assert httpx.get(f"{url}/ready").json() == before
        assert (
            httpx.post(f"{url}/v1/rechead/score", json={"responses": asks}, timeout=120).status_code
            == 200
        )
