"""How much an asynchronous client asks at once, over loopback HTTP."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from reward_server.client import AT_ONCE, AsyncHeadClient
from reward_server.wire import HeadAsk, HeadRequest, HeadResponse, HeadScore

pytestmark = pytest.mark.unit


class Slow(BaseHTTPRequestHandler):
    """Answers nobody before the gate is open; a rank is the number that the query id ends with."""

    def do_POST(self):
        asked = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])), type=HeadRequest).responses
        self.server.sizes.append(len(asked))
        assert self.server.gate.wait(30)
        ranks = [int(one.query_id.partition(":")[2]) for one in asked]
        body = msgspec.json.encode(HeadResponse("graph", "head", [HeadScore("ok", 0.5, rank, None, None, []) for rank in ranks]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def slow():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.sizes, server.gate = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_few_requests_are_on_their_way_and_what_is_asked_meanwhile_waits_here(slow):
    """A server that gets all of it answers the last too late; they are asked again, and in the end nobody is answered."""
    waves, each = AT_ONCE + 3, 30

    async def ask() -> list[HeadScore]:
        client = AsyncHeadClient(f"http://127.0.0.1:{slow.server_port}")
        calls = []
        for wave in range(waves):
            calls += [asyncio.create_task(client.score(HeadAsk(query_id=f"u:{wave * each + k + 1}"))) for k in range(each)]
            while len(slow.sizes) < min(wave + 1, AT_ONCE):
                await asyncio.sleep(0.01)
        slow.gate.set()
        return await asyncio.gather(*calls)

    assert [score.rank for score in asyncio.run(ask())] == list(range(1, waves * each + 1))
    assert slow.sizes[:AT_ONCE] == [each] * AT_ONCE and sorted(slow.sizes[AT_ONCE:]) == [26, 32, 32]  # three waves of 30, 32 at most a request
