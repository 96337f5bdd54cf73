"""MCP: the official client gets what /v1/look gives."""

import json
import os
import signal
import subprocess

import httpx
import pytest

from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from tests.doors.conftest import code_of
from tests.structure import ROOT

pytestmark = pytest.mark.doors
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


@pytest.fixture(scope="module")
def mcp_server(environment, film_store):
    """`rerec serve --mcp` in an environment that has the SDK."""
    reading, writing = os.pipe()
    _, *words = rerec_command("serve", "--store", film_store, "--port", "0")
    process = subprocess.Popen(
        [str(environment.python), *words, "--mcp", "--tell", str(writing)],
        cwd=ROOT,
        env=environment.variables(PYTHONPATH=str(ROOT)),
        pass_fds=(writing,),
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        url = pipe.readline().strip()
    assert url, "the server did not start"
    yield url
    process.send_signal(signal.SIGTERM)
    process.wait(30)


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
