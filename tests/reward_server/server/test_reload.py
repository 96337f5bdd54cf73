"""A server that loads its store again: all at once, without a lost request, never half."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import numpy as np
import pytest

from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from tests.reward_server.server.support import examples_at, process_at, write_tokens, wrong_answers

pytestmark = pytest.mark.journey


def test_a_reload_under_load_changes_over_at_once_and_loses_nothing(store):
    before, stop = Snapshot.load(store), threading.Event()
    responses = wrong_answers(before)
    old = before.score(responses, PROFILES["rerec"])

    def load(url):
        seen = []
        with RewardClient(url, before.digest, retries=0) as client:
            while not stop.is_set():
                seen.append(client.score(responses))
        return seen

    with local_server(store) as url, ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load, url) for _ in range(4)]
        with Store.open(store) as opened:
            items = sorted(opened.embeddings())
            opened.save_embeddings(
                items, np.random.default_rng(0).normal(size=(len(items), 8)).astype(np.float32), {}
            )
        new = Snapshot.load(store).score(responses, PROFILES["rerec"])
        assert httpx.post(f"{url}/v1/reload", timeout=30).json()["examples"] == 160
        with RewardClient(url) as client:
            assert client.score(responses) == new != old
        stop.set()
        seen = [batch for future in loads for batch in future.result()]
        assert seen and all(batch in (old, new) for batch in seen)
        store.unlink()
        assert (
            httpx.post(f"{url}/v1/reload", timeout=30).status_code == 503
        )  # nothing to load: the last good snapshot stays
        with RewardClient(url) as client:
            assert client.score(responses) == new


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_04_a_server_that_loads_its_store_again_can_be_stopped(store, tmp_path, workers):
    """The token file, which is read last, is a pipe: the load waits until the test writes to it."""
    tokens = tmp_path / "tokens.json"
    write_tokens(tokens, "trainer")
    text = tokens.read_text()
    with local_server(store, options=["--workers", workers, "--tokens", str(tokens)]) as url:
        server = process_at(url)
        tokens.unlink()
        os.mkfifo(tokens)
        server.send_signal(signal.SIGHUP)
        with suppress(BrokenPipeError), tokens.open("w") as pipe:  # opened when the server reads it
            server.send_signal(signal.SIGTERM)
            pipe.write(text)
        server.wait(60)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_06_a_reload_is_answered_when_the_new_state_is_served(store, tmp_path, workers):
    tokens, whole = tmp_path / "tokens.json", store.read_bytes()
    old = write_tokens(tokens, "admin", "trainer")

    def reload(secret):
        return httpx.post(
            f"{url}/v1/reload", headers={"authorization": f"Bearer {secret}"}, timeout=60
        )

    def served(secret):
        """Examples and statuses that requests get, each over a connection of its own."""
        allowed = {
            httpx.get(f"{url}/metrics", headers={"authorization": f"Bearer {secret}"}).status_code
            for _ in range(6)
        }
        return {httpx.get(f"{url}/ready").json()["examples"] for _ in range(6)}, allowed

    with local_server(store, options=["--workers", workers, "--tokens", str(tokens)]) as url:
        assert reload(old["trainer"]).status_code == 401
        with Store.open(store) as opened:
            opened.replace_examples(opened.examples()[:50])
        new = write_tokens(tokens, "admin", "other")
        answer = reload(old["admin"])
        assert answer.status_code == 200 and answer.json()["examples"] == 50
        assert served(new["other"]) == ({50}, {200}) and served(old["trainer"]) == ({50}, {401})
        store.write_bytes(b"no store at all")
        assert reload(new["admin"]).status_code == 503 and served(new["other"]) == ({50}, {200})
        store.write_bytes(whole)
        tokens.write_text("[]")
        assert reload(new["admin"]).status_code == 503 and served(new["other"]) == ({50}, {200})
        last = write_tokens(tokens, "other")
        assert reload(new["admin"]).status_code == 200 and served(last["other"]) == ({160}, {200})


@pytest.mark.parametrize(("workers", "by"), [("1", "signal"), ("2", "signal"), ("2", "request")])
def test_every_worker_gets_the_new_store(store, workers, by):
    with local_server(store, options=["--workers", workers]) as url:
        with Store.open(store) as opened:
            opened.replace_examples(opened.examples()[:50])
        if by == "signal":
            os.kill(process_at(url).pid, signal.SIGHUP)
        else:
            assert httpx.post(f"{url}/v1/reload", timeout=30).status_code == 200
        end = time.monotonic() + 30
        while {examples_at(url) for _ in range(10)} != {50}:
            assert time.monotonic() < end
