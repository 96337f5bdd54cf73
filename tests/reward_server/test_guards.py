"""Who may ask and how much: tokens at rest, bodies too large or not what they say, and a server that strangers could reach."""

import asyncio
import gzip
import json
import stat
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import zstandard

from data_engine.errors import DataError
from reward_server.errors import Refused
from reward_server.local import local_server
from reward_server.server.guards import Patience, Token, Tokens, issue, read_body
from tests.test_cli import rerec


def body(data, encoding="", declared=None, most=1000, parts=1):
    async def chunks():
        size = -(-len(data) // parts) or 1
        for k in range(0, len(data), size):
            yield data[k : k + size]

    return asyncio.run(
        read_body(chunks(), str(len(data)) if declared is None else declared, encoding, most)
    )


@pytest.mark.parametrize("parts", [1, 3])
def test_bodies_arrive_whole_however_they_are_packed(parts):
    text = b'{"responses": []}' * 20
    assert (
        body(text, parts=parts) == body(gzip.compress(text, mtime=0), "gzip", parts=parts) == text
    )
    assert body(zstandard.compress(text), "zstd", parts=parts) == text


@pytest.mark.parametrize(
    ("data", "encoding", "declared", "code"),
    [
        (b"x" * 1001, "", None, 413),
        (b"x", "", "", 411),
        (b"x", "", "-1", 411),
        (b"x", "", "²", 411),
        (b"x", "", "9" * 5000, 413),
        (
            gzip.compress(b"0" * 100_000, mtime=0),
            "gzip",
            None,
            413,
        ),  # a bomb: small on the wire, large inside
        (zstandard.compress(b"0" * 100_000), "zstd", None, 413),
        (b"not packed", "gzip", None, 400),
        (b"not packed", "zstd", None, 400),
        (gzip.compress(b"cut off" * 50, mtime=0)[:-12], "gzip", None, 400),
        (b"x", "br", None, 415),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_refused(data, encoding, declared, code):
    with pytest.raises(Refused) as refused:
        body(data, encoding, declared)
    assert refused.value.code == code


@pytest.mark.journey
def test_a_token_is_shown_once_and_kept_as_a_hash_in_a_private_file(tmp_path):
    file = tmp_path / "t/tokens.json"
    secret = rerec("token", "trainer", "--file", file, "--days", 3).stdout.strip()
    assert (
        len(secret) > 40
        and secret not in file.read_text()
        and stat.S_IMODE(file.stat().st_mode) == 0o600
    )
    Tokens.load(file).check(f"Bearer {secret}", "score")
    with pytest.raises(Refused, match="scope"):
        Tokens.load(file).check(f"Bearer {secret}", "admin")
    again = rerec("token", "trainer", "--file", file)
    assert again.returncode and "already holds a token named trainer" in again.stderr


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer \udcff"])
def test_absent_and_wrong_tokens_are_refused_alike(tmp_path, given):
    issue(tmp_path / "t.json", "a", ("score", "admin"), None)
    with pytest.raises(Refused) as refused:
        Tokens.load(tmp_path / "t.json").check(given, "score")
    assert refused.value.code == 401


def test_an_expired_token_is_refused_and_without_tokens_everybody_may_ask():
    secret_hash = "a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3"  # of "123"
    old, new = (
        Token(name="n", sha256=secret_hash, expires=datetime.now(UTC) + timedelta(hours=h))
        for h in (-1, 1)
    )
    Tokens((new,)).check("Bearer 123", "score")
    with pytest.raises(Refused):
        Tokens((old,)).check("Bearer 123", "score")
    Tokens().check("", "admin")


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"name": "a"}]', "[1]"])
def test_a_broken_token_file_is_one_clear_error(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match="rerec token"):
        Tokens.load(tmp_path / "t.json")


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


def test_who_waits_too_long_is_told_so_and_nobody_else():
    patience = Patience(0.05)

    async def waits(arrived):
        with patience:
            await arrived.wait()
        return "read"

    async def scene():
        never, soon = asyncio.Event(), asyncio.Event()
        slow, quick, gone = (asyncio.create_task(waits(event)) for event in (never, soon, never))
        await asyncio.sleep(0)
        soon.set()
        gone.cancel()
        found = await asyncio.gather(slow, quick, gone, return_exceptions=True)
        assert slow.cancelling() == 0
        return found

    for _ in range(2):  # in another event loop too
        late, read, cancelled = asyncio.run(scene())
        assert (
            isinstance(late, TimeoutError)
            and read == "read"
            and isinstance(cancelled, asyncio.CancelledError)
        )
