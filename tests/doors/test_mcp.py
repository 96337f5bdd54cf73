"""MCP: the official client gets what /v1/look gives."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager

import httpx
import pytest

from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from tests.doors.conftest import code_of
from tests.structure import ROOT

pytestmark = pytest.mark.doors
CALLS = [
    ("recommend", {"request": "a drama", "k": 2}),
    ("explain", {"item": "{title}", "request": "not a drama"}),
    ("lookup", {"item": "{title}", "relation": "genre"}),
    ("holders", {"relation": "genre", "value": "Drama", "k": 1}),
    ("resolve_title", {"title": "{title}"}),
    ("lookup", {"item": "No Such Film", "relation": "genre"}),
]
CALL = """
import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


async def call(where, calls):
    async with Client(where) as client:
        print(json.dumps([tool.name for tool in (await client.list_tools()).tools]))
        told = [await client.call_tool(name, arguments) for name, arguments in calls]
        print(json.dumps([[one.is_error, one.content[0].text] for one in told]))


url, program, *words = sys.argv[1:]
local = stdio_client(StdioServerParameters(command=program, args=words, env={**os.environ}))
asyncio.run(call(url or local, json.load(open("calls"))))
"""
ASK = """
import json
from page import *


async def names():
    async with Client(f"{URL}/mcp") as client:
        return {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}


print(json.dumps({"tools": asyncio.run(names()), "told": [ask(t) for t in json.load(open("t"))]}))
"""


@pytest.fixture(scope="module")
def environment(maker):
    return maker.beside_ours("mcp", "mcp==2.3.0", needs=True)


@contextmanager
def serving(environment, *command):
    """The URL of a `rerec` command that serves, in an environment that has the SDK."""
    reading, writing = os.pipe()
    _, *words = rerec_command(*command, "--port", "0")
    process = subprocess.Popen(
        [str(environment.python), *words, "--tell", str(writing)],
        cwd=ROOT,
        env=environment.variables(PYTHONPATH=str(ROOT)),
        pass_fds=(writing,),
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        url = pipe.readline().strip()
    assert url, "the server did not start"
    try:
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def mcp_server(environment, film_store):
    with serving(environment, "serve", "--store", film_store, "--mcp") as url:
        yield url


def test_the_official_client_reads_the_graph(environment, mcp_server, film_store, tmp_path):
    with Store.open(film_store, read_only=True) as store:
        titles = [title for (title,) in store.rows("SELECT title FROM items ORDER BY 1 LIMIT 3")]
    (tmp_path / "page.py").write_text(code_of("look-ups-as-tools.md"))
    (tmp_path / "ask.py").write_text(ASK)
    (tmp_path / "t").write_text(json.dumps([*titles, "No Such Film"]))
    printed = environment.run(environment.python, "ask.py", cwd=tmp_path, REREC_URL=mcp_server)
    found = json.loads(printed.splitlines()[-1])
    described = httpx.get(f"{mcp_server}/v1/tools").json()
    assert found["tools"] == {
        tool["function"]["name"]: tool["function"]["parameters"] for tool in described
    }
    for title, (failed, text) in zip(titles, found["told"], strict=False):
        call = {"tool": "lookup", "item": title, "relation": "genre"}
        (looked,) = httpx.post(f"{mcp_server}/v1/look", json={"calls": [call]}).json()["results"]
        assert not failed and looked["found"] and text.split("\n") == looked["found"]
    assert found["told"][-1] == [True, "'No Such Film' is no item here"]


@pytest.mark.parametrize(
    ("method", "query", "headers", "body", "code"),
    [
        ("GET", "", {}, b"", 405),
        ("POST", "?graph_digest=another", {}, b"{}", 409),
        ("POST", "", {"host": "evil.example"}, b"{}", 421),
        ("POST", "", {}, b"x" * 300_000, 413),
    ],
)
def test_what_comes_before_the_protocol(mcp_server, method, query, headers, body, code):
    headers = {"content-type": "application/json", **headers}
    found = httpx.request(method, f"{mcp_server}/mcp{query}", headers=headers, content=body)
    assert found.status_code == code


@pytest.mark.parametrize("over", ["stdio", "http"])
def test_the_official_client_calls_every_tool_of_the_assistant(
    environment, film_store, tmp_path, over
):
    with Store.open(film_store, read_only=True) as store:
        ((title, dramatic),) = store.rows(
            "SELECT title, bool_or(attribute_id = 'Drama') FROM items JOIN edges USING (item_id) "
            "WHERE relation = 'genre' GROUP BY 1 ORDER BY 1 LIMIT 1"
        )
    (tmp_path / "call.py").write_text(CALL)
    (tmp_path / "calls").write_text(json.dumps(CALLS).replace("{title}", title))
    _, *words = rerec_command("mcp", "--store", film_store)
    variables = {"PYTHONPATH": str(ROOT)}

    def call(url):
        words_ = (environment.python, "call.py", url, environment.python, *words)
        return environment.run(*words_, cwd=tmp_path, **variables).splitlines()

    if over == "stdio":
        names, told = call("")
    else:
        with serving(environment, "mcp", "--store", film_store, "--http") as url:
            names, told = call(f"{url}/mcp")
            assert httpx.get(f"{url}/mcp").status_code == 405
            named = {"host": "evil.example", "content-type": "application/json"}
            assert httpx.post(f"{url}/mcp", headers=named, content=b"{}").status_code == 421
    assert json.loads(names) == ["recommend", "explain", "lookup", "holders", "resolve_title"]
    recommended, explained, genres, held, resolved, failed = json.loads(told)
    assert not any(wrong for wrong, _ in (recommended, explained, genres, held, resolved))
    assert recommended[1].count("\n") == 2 and "drama" in recommended[1]
    assert f"Not drama: {'missed' if dramatic else 'met'}" in explained[1]
    assert ("Drama" in genres[1].split("\n")) == dramatic
    assert "items have genre Drama:" in held[1] and title in resolved[1]
    assert failed == [True, "'No Such Film' is no item here"]
