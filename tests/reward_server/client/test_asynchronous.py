"""How many requests an asynchronous client has under way, and how it is closed, over HTTP."""

import asyncio
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from reward_server.client import AsyncHeadClient
from reward_server.client.asynchronous import MOST_IN_FLIGHT
from reward_server.errors import RewardError
from reward_server.wire import HeadAsk, HeadRequest, HeadResponse, HeadScore

pytestmark = pytest.mark.unit


class SlowHandler(BaseHTTPRequestHandler):
    """Answers nobody before the gate is open; a rank is the number that the query id ends with."""

    def do_POST(self):
        asked = msgspec.json.decode(
            self.rfile.read(int(self.headers["content-length"])), type=HeadRequest
        ).responses
        self.server.sizes.append(len(asked))
        assert self.server.gate.wait(30)
        ranks = [int(one.query_id.partition(":")[2]) for one in asked]
        scores = [HeadScore("ok", 0.5, rank, None, None, []) for rank in ranks]
        body = msgspec.json.encode(HeadResponse("graph", "head", scores))
        with suppress(ConnectionError):  # the client may have gone
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def slow():
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler)
    server.sizes, server.gate = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def start_calls(client, first, count):
    return [
        asyncio.create_task(client.score(HeadAsk(query_id=f"u:{rank}")))
        for rank in range(first, first + count)
    ]


async def sent(server, count):
    """Wait until the server has got so many requests."""
    while len(server.sizes) < count:
        await asyncio.sleep(0.01)


def test_few_requests_are_on_their_way_and_what_is_asked_meanwhile_waits_here(slow):
    """A server that gets all of it answers the last too late: they would be sent again and again,
    and in the end nobody is answered."""
    waves, each = MOST_IN_FLIGHT + 3, 30

    async def ask() -> list[HeadScore]:
        async with AsyncHeadClient(f"http://127.0.0.1:{slow.server_port}") as client:
            calls = []
            for wave in range(waves):
                calls += start_calls(client, wave * each + 1, each)
                await sent(slow, min(wave + 1, MOST_IN_FLIGHT))
            slow.gate.set()
            return await asyncio.gather(*calls)

    assert [score.rank for score in asyncio.run(ask())] == list(range(1, waves * each + 1))
    assert slow.sizes[:MOST_IN_FLIGHT] == [each] * MOST_IN_FLIGHT
    # three waves of 30, 32 at most a request
    assert sorted(slow.sizes[MOST_IN_FLIGHT:]) == [26, 32, 32]


def test_fault_17_an_asynchronous_client_is_closed_and_nobody_waits_for_ever(slow):
    async def close() -> list[object]:
        async with AsyncHeadClient(f"http://127.0.0.1:{slow.server_port}") as client:
            calls = start_calls(client, 1, 40)  # more than a request: some wait
            await sent(slow, 1)
        slow.gate.set()
        late = client.score(HeadAsk(query_id="u:1"))
        return await asyncio.gather(*calls, late, return_exceptions=True)

    found = asyncio.run(close())
    assert len(found) == 41
    assert all(isinstance(error, RewardError) and "closed" in str(error) for error in found)
