"""A server that others could reach, and what it writes to its log."""

import json

import httpx
import pytest

from reward_server.local import local_server
from tests.test_cli import rerec


@pytest.mark.journey
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "--tokens FILE"),
        (["--host", "::"], "--tokens FILE"),
        (["--tls-cert", "x.pem"], "both --tls-cert and --tls-key"),
        (["--tls-cert", "x.pem", "--tls-key", "y.pem"], "no file x.pem"),
        (["--tokens", "none.json"], "no token file"),
        (["--host", "203.0.113.9", "--insecure"], "not an address of this machine"),
    ],
)
def test_a_server_that_should_not_start_says_what_is_missing(film_store, words, said):
    done = rerec("serve", "--store", film_store, *words)
    assert done.returncode and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.journey
def test_nothing_secret_reaches_the_log(film_store, tmp_path):
    """The access log has ids, times and counts: no token and no text of a response."""
    log = tmp_path / "log"
    with local_server(film_store, log, environment={"REREC_ACCESS_LOG": "INFO"}) as url:
        answer = httpx.post(
            f"{url}/v1/score",
            json={"responses": [{"example_id": "x", "response": "private words"}]},
            headers={"authorization": "Bearer secret-token", "x-request-id": "abc123"},
        )
    assert answer.status_code == 404 and answer.headers["x-request-id"] == "abc123"
    (line,) = [json.loads(row) for row in log.read_text().splitlines() if row.startswith("{")]
    assert line["id"] == "abc123" and line["status"] == 404
    assert "private words" not in log.read_text() and "secret-token" not in log.read_text()
