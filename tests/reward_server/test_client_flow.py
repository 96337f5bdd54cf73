"""How much an asynchronous client asks at once, over loopback HTTP."""

import asyncio
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from reward_server.client import AT_ONCE, AsyncHeadClient, Pool
from reward_server.errors import RewardError
from reward_server.wire import HeadAsk, HeadRequest, HeadResponse, HeadScore

pytestmark = pytest.mark.unit


class Slow(BaseHTTPRequestHandler):
    """Answers nobody before the gate is open; a rank is the number that the query id ends with."""

    def do_POST(self):
        asked = msgspec.json.decode(
            self.rfile.read(int(self.headers["content-length"])), type=HeadRequest
        ).responses
        self.server.sizes.append(len(asked))
        assert self.server.gate.wait(30)
        ranks = [int(one.query_id.partition(":")[2]) for one in asked]
        body = msgspec.json.encode(
            HeadResponse(
                "graph", "head", [HeadScore("ok", 0.5, rank, None, None, []) for rank in ranks]
            )
        )
        with suppress(ConnectionError):  # the client may have gone
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
        async with AsyncHeadClient(f"http://127.0.0.1:{slow.server_port}") as client:
            calls = []
            for wave in range(waves):
                calls += [
                    asyncio.create_task(client.score(HeadAsk(query_id=f"u:{wave * each + k + 1}")))
                    for k in range(each)
                ]
                while len(slow.sizes) < min(wave + 1, AT_ONCE):
                    await asyncio.sleep(0.01)
            slow.gate.set()
            return await asyncio.gather(*calls)

    assert [score.rank for score in asyncio.run(ask())] == list(range(1, waves * each + 1))
    assert slow.sizes[:AT_ONCE] == [each] * AT_ONCE and sorted(slow.sizes[AT_ONCE:]) == [
        26,
        32,
        32,
    ]  # three waves of 30, 32 at most a request


def test_fault_17_the_server_that_failed_is_left_and_no_other():
    """Two calls of one client fail at the same server: the second finds it left already, and must not leave the good one."""
    pool = Pool("http://bad, http://good/,http://good")
    one, other = pool.attempts(), pool.attempts()
    assert (next(one), next(other)) == ((0, "http://bad"), (0, "http://bad"))
    assert (next(one), next(other)) == ((1, "http://good"), (1, "http://good"))
    assert pool.servers == ["http://good", "http://bad"]


def test_fault_17_an_asynchronous_client_is_closed_and_nobody_waits_for_ever(slow):
    async def close() -> list[object]:
        async with AsyncHeadClient(f"http://127.0.0.1:{slow.server_port}") as client:
            calls = [
                asyncio.create_task(client.score(HeadAsk(query_id="u:1"))) for _ in range(40)
            ]  # more than a request: some wait
            while not slow.sizes:
                await asyncio.sleep(0.01)
        slow.gate.set()
        return await asyncio.gather(
            *calls, client.score(HeadAsk(query_id="u:1")), return_exceptions=True
        )

    found = asyncio.run(close())
    assert len(found) == 41 and all(
        isinstance(error, RewardError) and "closed" in str(error) for error in found
    )
