"""Bearer tokens at rest and in a request."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from data_engine.errors import DataError, Refused
from data_engine.http.tokens import Token, Tokens, issue_token
from tests.test_cli import rerec


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
    Tokens.load(file).check(f"bearer {secret}", "score")  # schemes have no case
    with pytest.raises(Refused, match="scope"):
        Tokens.load(file).check(f"Bearer {secret}", "admin")
    again = rerec("token", "trainer", "--file", file)
    assert again.returncode and "already holds a token named trainer" in again.stderr
    for words, said in ((("",), "needs a name"), (("b", "--file", tmp_path), "is a folder")):
        refused = rerec("token", *words)
        assert refused.returncode and said in refused.stderr


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer \udcff"])
def test_absent_and_wrong_tokens_are_refused_alike(tmp_path, given):
    issue_token(tmp_path / "t.json", "a", ("score", "admin"), None)
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
