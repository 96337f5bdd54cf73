"""A server in trouble: reloaded, stopped or killed under load, flooded, fed slowly or with nonsense. No wrong score, no lost request."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import numpy as np
import psutil
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_engine.graphs.arrays import GraphArrays
from data_engine.names.sentences import DEFAULT
from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.errors import RewardError
from reward_server.local import local_server
from reward_server.rechead.head import save_head
from reward_server.rechead.model import HeadConfig, RecHead
from reward_server.scoring import PROFILES
from reward_server.server.guards import issue
from reward_server.snapshot import Snapshot
from reward_server.wire import Response

pytestmark = pytest.mark.journey


@pytest.fixture
def store(film_store, tmp_path):
    path = tmp_path / "s.duckdb"
    path.write_bytes(film_store.read_bytes())
    return path


def asked(snapshot, count=200):
    """Responses that name a wrong item, so that every part of the score counts."""
    titles = dict(snapshot.graph.titles())
    pairs = [(e, sorted(t.near - t.gold)[0]) for e, t in snapshot.targets.items()]
    return [
        Response(e, f"Perhaps {titles[i]}.\n<answer>{titles[i]}</answer>")
        for e, i in (pairs * (count // len(pairs) + 1))[:count]
    ]


def process_at(url):
    """The server process behind a local URL; with several workers their parent."""
    port = int(url.rsplit(":", 1)[1])
    found = next(
        psutil.Process(c.pid)
        for c in psutil.net_connections("tcp")
        if c.laddr.port == port and c.status == "LISTEN" and c.pid
    )
    return found.parent() if "serve" in found.parent().cmdline() else found


def examples_at(url):
    """How many Examples the worker that answers has; None from one that is just leaving."""
    try:
        return httpx.get(f"{url}/ready").json()["examples"]
    except httpx.TransportError:
        return None


def test_a_reload_under_load_changes_over_at_once_and_loses_nothing(store):
    before, stop = Snapshot.load(store), threading.Event()
    responses = asked(before)
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


def test_sigterm_under_load_loses_nothing_where_another_server_is_left(store):
    """What was accepted is answered; what was not goes to the next server; no score is wrong."""
    snapshot = Snapshot.load(store)
    responses = asked(snapshot, 1000)
    expected = snapshot.score(responses, PROFILES["rerec"])
    with local_server(store) as one, local_server(store) as other, ThreadPoolExecutor(8) as pool:
        server = process_at(one)

        def load(_):
            with RewardClient(f"{one},{other}") as client:
                return [client.score(responses) for _ in range(3)]

        futures = [pool.submit(load, n) for n in range(8)]
        while 'rerec_score_requests_total{code="200"}' not in httpx.get(f"{one}/metrics").text:
            pass
        server.terminate()
        assert server.wait(60) is not None
        assert all(batch == expected for future in futures for batch in future.result())


def test_a_killed_worker_costs_no_request(store):
    snapshot = Snapshot.load(store)
    responses = asked(snapshot)
    expected = snapshot.score(responses, PROFILES["rerec"])
    with local_server(store, options=["--workers", "2"]) as url:
        server = process_at(url)
        with RewardClient(url) as client:
            for round_ in range(30):
                if round_ in (5, 15):
                    next(p for p in server.children() if p.status() != psutil.STATUS_ZOMBIE).kill()
                assert client.score(responses) == expected


def test_a_server_gone_is_replaced_by_the_next_in_the_list(store):
    snapshot = Snapshot.load(store)
    responses = asked(snapshot)
    expected = snapshot.score(responses, PROFILES["rerec"])
    with (
        local_server(store) as one,
        local_server(store) as other,
        RewardClient(f"{one}, {other}") as client,
    ):
        assert client.score(responses) == expected
        process_at(one).kill()
        for _ in range(3):
            assert client.score(responses) == expected


def test_a_flood_is_told_to_come_back_and_clients_do(store):
    snapshot = Snapshot.load(store)
    responses = asked(snapshot, 1000)
    with local_server(store, options=["--at-once", "1"]) as url, ThreadPoolExecutor(8) as pool:
        body = json.dumps(
            {"responses": [{"example_id": r.example_id, "response": r.response} for r in responses]}
        )
        answers = list(
            pool.map(lambda _: httpx.post(f"{url}/v1/score", content=body, timeout=60), range(16))
        )
        codes = {a.status_code for a in answers}
        assert codes == {200, 429} and all(
            a.headers["retry-after"] == "1" for a in answers if a.status_code == 429
        )

        def patient(_):
            with RewardClient(url, retries=50) as client:
                return client.score(responses)

        expected = snapshot.score(responses, PROFILES["rerec"])
        assert all(found == expected for found in pool.map(patient, range(4)))


def test_bodies_that_never_come_hold_nobody_up(store):
    snapshot = Snapshot.load(store)
    responses = asked(snapshot)
    with local_server(
        store, options=["--seconds", "2", "--at-once", "4"]
    ) as url:  # a body that never comes takes no place
        host, port = url.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(30)]
        for connection in slow:
            connection.sendall(
                b"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"
            )
        with RewardClient(url, retries=0) as client:
            assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])
        assert all(b"408" in connection.recv(200) for connection in slow)


def test_no_body_makes_the_server_fail(store):
    """Mutations of a good body: every answer is a score or a refusal with a reason, never a 5xx; and the server still scores afterwards."""
    snapshot = Snapshot.load(store)
    responses = asked(snapshot, 3)
    good = json.dumps(
        {"responses": [{"example_id": r.example_id, "response": r.response} for r in responses]}
    ).encode()
    strange = [
        b"NaN",
        b"1e999",
        b"-0",
        b'"\\ud800"',
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
        b"null",
        b"9" * 400,
        b'"' + b"x" * 40_000 + b'"',
    ]

    with local_server(store) as url, httpx.Client() as client:

        @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            st.integers(0, len(good)),
            st.integers(0, 40),
            st.one_of(st.binary(max_size=20), st.sampled_from(strange)),
        )
        def mutate(place, cut, inserted):
            answer = client.post(
                f"{url}/v1/score", content=good[:place] + inserted + good[place + cut :]
            )
            assert answer.status_code in (200, 404, 409, 422), (answer.status_code, answer.text)
            assert answer.status_code == 200 or answer.json()["detail"]

        mutate()
        with RewardClient(url) as scorer:
            assert scorer.score(responses) == snapshot.score(responses, PROFILES["rerec"])


def head(store, folder, encoder=DEFAULT):
    """An untrained RecHead for a store's graph."""
    with Store.open(store, read_only=True) as opened:
        arrays = GraphArrays.of(opened)
    config = HeadConfig(dims=4, layers=1, heads=1, length=4)
    save_head(
        folder,
        RecHead(len(arrays.item_ids), config, torch.ones(len(arrays.item_ids), 384)),
        config,
        encoder,
        arrays.digest,
    )
    return [
        {"history": [arrays.item_ids[k]], "response": "I think so. <answer>a film</answer>"}
        for k in range(40)
    ]


def test_fault_03_a_rechead_answers_in_every_worker(store, tmp_path):
    asks = head(store, tmp_path / "head")
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
    signal.alarm(60)  # a fork of a process in which torch has run would wait for ever for threads that it has not
    snapshot.start_head()
    items = snapshot.graph.arrays.item_ids
    snapshot.head.score([HeadAsk(history=[item], response="so <answer>a film</answer>") for item in items], 10)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_fault_03_what_is_loaded_before_a_fork_can_be_asked_after_it(store, tmp_path):
    head(store, tmp_path / "head")
    words = [sys.executable, "-c", FORKS, str(store), str(tmp_path / "head")]
    assert (
        subprocess.run(words, env={**os.environ, "OMP_NUM_THREADS": "2"}, check=False).returncode
        == 0
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_03_a_head_that_cannot_be_asked_is_said_at_the_start(store, tmp_path, workers):
    head(store, tmp_path / "head", encoder=str(tmp_path / "no encoder"))
    options = ["--rechead", str(tmp_path / "head"), "--workers", workers]
    with (
        pytest.raises(RewardError, match="ended at start with code 1: error: no sentence encoder"),
        local_server(store, tmp_path / "log", options),
    ):
        pass


def token_file(path, *names):
    """Secrets by name; the one called admin may do all."""
    path.unlink(missing_ok=True)
    return {
        name: issue(path, name, ("score", "admin") if name == "admin" else ("score",), 1)
        for name in names
    }


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_04_a_server_that_loads_its_store_again_can_be_stopped(store, tmp_path, workers):
    """The token file, which is read last, is a pipe, so that the load waits until the test writes to it."""
    tokens = tmp_path / "tokens.json"
    token_file(tokens, "trainer")
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


def test_fault_05_metrics_are_those_of_all_workers(store):
    body = {
        "responses": [
            {"example_id": r.example_id, "response": r.response}
            for r in asked(Snapshot.load(store), 3)
        ]
    }
    sums = (
        'rerec_score_requests_total{code="200"}',
        'rerec_part_count{part="score"}',
        'rerec_scored_responses_total{status="ok"}',
    )

    def scraped(url):
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        return tuple(
            float(line.rpartition(" ")[2]) for one in sums for line in lines if line.startswith(one)
        )

    with local_server(store, options=["--workers", "2"]) as url:
        for _ in range(10):
            httpx.post(f"{url}/v1/score", json=body).raise_for_status()
        assert {scraped(url) for _ in range(10)} == {(10, 30, 30)}
        for child in process_at(url).children():
            child.kill()
        with RewardClient(url) as client:  # which comes again until there is a worker
            client.score(asked(Snapshot.load(store), 3))
        assert {scraped(url) for _ in range(4)} == {(11, 33, 33)}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_06_a_reload_is_answered_when_the_new_state_is_served(store, tmp_path, workers):
    tokens, whole = tmp_path / "tokens.json", store.read_bytes()
    old = token_file(tokens, "admin", "trainer")

    def reload(secret):
        return httpx.post(
            f"{url}/v1/reload", headers={"authorization": f"Bearer {secret}"}, timeout=60
        )

    def served(secret):
        """What requests over connections of their own get: Examples, and whether the token is taken."""
        allowed = {
            httpx.get(f"{url}/metrics", headers={"authorization": f"Bearer {secret}"}).status_code
            for _ in range(6)
        }
        return {httpx.get(f"{url}/ready").json()["examples"] for _ in range(6)}, allowed

    with local_server(store, options=["--workers", workers, "--tokens", str(tokens)]) as url:
        assert reload(old["trainer"]).status_code == 401
        with Store.open(store) as opened:
            opened.replace_examples(opened.examples()[:50])
        new = token_file(tokens, "admin", "other")
        answer = reload(old["admin"])
        assert answer.status_code == 200 and answer.json()["examples"] == 50
        assert served(new["other"]) == ({50}, {200}) and served(old["trainer"]) == ({50}, {401})
        store.write_bytes(b"no store at all")
        assert reload(new["admin"]).status_code == 503 and served(new["other"]) == ({50}, {200})
        store.write_bytes(whole)
        tokens.write_text("[]")
        assert reload(new["admin"]).status_code == 503 and served(new["other"]) == ({50}, {200})
        last = token_file(tokens, "other")
        assert reload(new["admin"]).status_code == 200 and served(last["other"]) == ({160}, {200})


def test_fault_06_workers_that_cannot_start_do_not_take_over(store, tmp_path):
    """The new RecHead's files are well, but its encoder is missing, which a worker finds out."""
    asks = head(store, tmp_path / "head")
    with local_server(
        store, options=["--rechead", str(tmp_path / "head"), "--workers", "2"]
    ) as url:
        before = httpx.get(f"{url}/ready").json()
        head(store, tmp_path / "head", encoder=str(tmp_path / "no encoder"))
        assert httpx.post(f"{url}/v1/reload", timeout=120).status_code == 503
        assert httpx.get(f"{url}/ready").json() == before
        assert (
            httpx.post(f"{url}/v1/rechead/score", json={"responses": asks}, timeout=120).status_code
            == 200
        )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_16_a_server_chooses_its_port_and_tells(store, workers):
    words = rerec_command(
        "serve", "--store", str(store), "--port", "0", "--workers", workers, "--while-stdin"
    )
    servers = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        urls = [server.stdout.readline().split()[2] for server in servers]
        assert len(set(urls)) == 2 and [httpx.get(f"{url}/ready").status_code for url in urls] == [
            200,
            200,
        ]
    finally:
        for server in servers:
            server.communicate()


def test_workers_end_with_a_parent_that_is_killed(store):
    with local_server(store, options=["--workers", "2"]) as url:
        address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        process_at(url).kill()
        deadline = time.monotonic() + 60
        with pytest.raises(ConnectionError):
            while time.monotonic() < deadline:
                socket.create_connection(address, 5).close()


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


def test_a_ray_cluster_serves_the_same_scores(store):
    snapshot = Snapshot.load(store)
    responses = asked(snapshot)
    with (
        local_server(store, options=["--ray"]) as url,
        RewardClient(url, snapshot.digest) as client,
    ):
        assert client.ready()["examples"] == 160
        assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])


def test_https_with_a_token(store, tmp_path, monkeypatch):
    """Only who has the token is served, over an encrypted connection that is checked against the certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    cert, key, tokens = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "tokens.json"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    words = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        key,
        "-out",
        cert,
        *subject,
    ]
    subprocess.run(words, check=True, capture_output=True)
    secret = issue(tokens, "trainer", ("score",), 1)
    options = ["--tokens", tokens, "--tls-cert", cert, "--tls-key", key, "--workers", "2"]
    with local_server(store, options=list(map(str, options))) as url:
        context = ssl.create_default_context(cafile=cert)
        assert (
            url.startswith("https://127.0.0.1:")
            and httpx.get(f"{url}/health", verify=context).status_code == 200
        )
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")  # a certificate nobody vouches for
        assert httpx.get(f"{url}/metrics", verify=context).status_code == 401
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        snapshot = Snapshot.load(store)
        responses = asked(snapshot)
        with RewardClient(url) as stranger, pytest.raises(RewardError, match="401"):
            stranger.score(responses)
        monkeypatch.setenv("REREC_TOKEN", secret)
        with RewardClient(url) as client:
            assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])
        bearer = {"authorization": f"Bearer {secret}"}
        assert (
            httpx.post(f"{url}/v1/reload", headers=bearer, verify=context).status_code == 401
        )  # not an admin's
