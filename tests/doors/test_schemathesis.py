"""Requests that Schemathesis makes up from the description of each server's own API."""

import pytest

from data_engine.http.child import served

pytestmark = pytest.mark.doors
# Ids of a store are in no description; that a body is no JSON is said before a path is looked up;
# Starlette names the methods of one route in `Allow`, not those of all at the same path.
LEFT_OUT = "positive_data_acceptance,unsupported_method,allow_header_conformance"


@pytest.fixture(scope="module")
def environment(maker):
    return maker.make("schemathesis", "schemathesis==4.32.5")


@pytest.mark.parametrize("server", ["assistant", "serve"])
def test_every_route_answers_as_it_is_described_and_none_fails(
    environment, film_store, tmp_path, server
):
    log = tmp_path / "log"
    with served(server, "--store", film_store, log=log) as url:
        words = ("run", f"{url}/openapi.json", "-n", 20, "--seed", 1, "--no-color")
        said = environment.run(
            environment.path / "bin/schemathesis",
            *words,
            "--exclude-checks",
            LEFT_OUT,
            cwd=tmp_path,
        )
    assert "failures" not in said and "2 skipped" not in said
