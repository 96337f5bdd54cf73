"""Who sees the gold: through the explorer only an admin, or everybody where the server was told
so.
"""

import asyncio

import httpx
import pytest

from data_engine.http.tokens import issue_token
from data_engine.store.database import Store
from reward_server.server.app import make_app
from reward_server.server.config import ServeConfig


def asked(store, path, token="", **options):
    """What an application in this process answers to a GET."""

    async def ask():
        transport = httpx.ASGITransport(app=make_app(ServeConfig(store=store, **options)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(
                path, headers={"authorization": f"Bearer {token}"} if token else {}
            )

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def hidden(film_store):
    with Store.open(film_store, read_only=True) as store:
        return next(e for e in store.examples("test") if e.kind == "implicit")


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "tokens.json"
    return file, {
        name: issue_token(file, name, scopes, 1)
        for name, scopes in (("trainer", ("score",)), ("admin", ("score", "admin")))
    }


def shows_gold(found, example):
    """Whether roles, chains or conditions give the gold away: all of them, or none."""
    signs = {
        any(i["role"] == "gold" for i in found["items"]),
        bool(found["chains"]),
        any(a["asked"] for a in found["attributes"]),
        found["gold_shown"],
    }
    assert len(signs) == 1 and found["query"] == example.query
    assert {i["id"] for i in found["items"]} == {*example.candidates, *example.anchors} and found[
        "edges"
    ]
    return signs.pop()


@pytest.mark.parametrize(
    ("who", "explore", "shown"),
    [("trainer", False, False), ("admin", False, True), ("trainer", True, True)],
)
def test_fault_14_gold_needs_the_admin_scope_or_explore(
    film_store, hidden, tokens, who, explore, shown
):
    file, secrets = tokens
    found = asked(
        film_store, f"/v1/examples/{hidden.example_id}", secrets[who], tokens=file, explore=explore
    )
    assert found.status_code == 200 and shows_gold(found.json(), hidden) is shown


@pytest.mark.parametrize("explore", [False, True])
def test_fault_14_explore_shows_gold_to_nobody_without_a_token(film_store, hidden, tokens, explore):
    assert (
        asked(
            film_store, f"/v1/examples/{hidden.example_id}", tokens=tokens[0], explore=explore
        ).status_code
        == 401
    )


@pytest.mark.parametrize("explore", [False, True])
def test_fault_14_without_tokens_gold_is_shown_by_explore_only(film_store, hidden, explore):
    found = asked(film_store, f"/v1/examples/{hidden.example_id}", explore=explore)
    assert shows_gold(found.json(), hidden) is explore
    assert set(asked(film_store, "/v1/examples").json()[0]) == {
        "example_id",
        "kind",
        "split",
        "query",
    }
