"""How a server is run: its metrics over all workers, its port, on Ray, with TLS and a token."""

import shutil
import ssl
import subprocess

import httpx
import pytest

from data_engine.http.tokens import issue_token
from data_engine.runtime.children import rerec_command
from reward_server.client import RewardClient
from reward_server.errors import RewardError
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from tests.reward_server.server.support import process_at, wrong_answers

pytestmark = pytest.mark.journey


def test_fault_05_metrics_are_those_of_all_workers(store):
    body = {
        "responses": [
            {"example_id": r.example_id, "response": r.response}
            for r in wrong_answers(Snapshot.load(store), 3)
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
            client.score(wrong_answers(Snapshot.load(store), 3))
        assert {scraped(url) for _ in range(4)} == {(11, 33, 33)}


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


def test_a_ray_cluster_serves_the_same_scores(store):
    snapshot = Snapshot.load(store)
    responses = wrong_answers(snapshot)
    with (
        local_server(store, options=["--ray", "--workers", "2"]) as url,
        RewardClient(url, snapshot.digest) as client,
    ):
        assert client.ready()["examples"] == 160
        assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])


def test_https_with_a_token(store, tmp_path, monkeypatch):
    """Only who has the token is served, over a connection checked against the certificate."""
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
    secret = issue_token(tokens, "trainer", ("score",), 1)
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
        responses = wrong_answers(snapshot)
        with RewardClient(url) as stranger, pytest.raises(RewardError, match="401"):
            stranger.score(responses)
        monkeypatch.setenv("REREC_TOKEN", secret)
        with RewardClient(url) as client:
            assert client.score(responses) == snapshot.score(responses, PROFILES["rerec"])
        bearer = {"authorization": f"Bearer {secret}"}
        assert (
            httpx.post(f"{url}/v1/reload", headers=bearer, verify=context).status_code == 401
        )  # not an admin's
