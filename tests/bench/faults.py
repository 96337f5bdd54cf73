"""A server in trouble under load: workers killed, servers stopped, reloads, the store replaced
while it is read. How many scores are wrong, how many requests lost?
"""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import psutil

from data_engine.store.database import Store
from reward_server.client import RewardClient
from reward_server.errors import RewardError
from reward_server.local import local_server
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response, Score
from tests.bench.load import make_store, report, responses

TROUBLES, CLIENTS, SERVERS, PAUSE = 20, 4, 5, 0.2


class Load:
    """Clients that score the same batch again and again and hold every answer against the expected
    ones.
    """

    def __init__(self, urls: str, batch: list[Response], expected: list[list[Score]]) -> None:
        self.urls, self.batch, self.expected = urls, batch, expected
        self.answered = self.wrong = self.lost = 0
        self._stop, self._lock = threading.Event(), threading.Lock()

    def _one(self) -> None:
        with RewardClient(self.urls, retries=8) as client:
            while not self._stop.is_set():
                try:
                    right = client.score(self.batch) in self.expected
                except RewardError:
                    right = None
                with self._lock:
                    self.answered += right is not None
                    self.wrong += right is False
                    self.lost += right is None

    def under(self, trouble: Callable[[int], None], troubles: int = TROUBLES) -> dict[str, int]:
        """So many troubles of a kind, PAUSE apart, and what they cost."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self._one) for _ in range(CLIENTS)]
            try:
                for n in range(troubles):
                    time.sleep(PAUSE)
                    trouble(n)
                time.sleep(PAUSE)
            finally:
                self._stop.set()
            for one in running:
                one.result()
        return {"answered": self.answered, "wrong": self.wrong, "lost": self.lost}


def server_at(url: str) -> psutil.Process:
    """The process that was started to serve a local URL."""
    port = int(url.rsplit(":", 1)[1])
    return next(
        p
        for p in psutil.Process().children()
        if p.status() != psutil.STATUS_ZOMBIE
        and any(
            c.laddr.port == port and c.status == psutil.CONN_LISTEN
            for c in p.net_connections("tcp")
        )
    )


def kill_workers(store: Path, batch: list[Response], expected: list[list[Score]]) -> dict[str, int]:
    """kill -9 to one of two workers."""
    with local_server(store, options=["--workers", "2"]) as url:
        server = server_at(url)

        def kill(_: int) -> None:
            while not (
                alive := [p for p in server.children() if p.status() != psutil.STATUS_ZOMBIE]
            ):
                time.sleep(PAUSE)
            alive[0].kill()

        return Load(url, batch, expected).under(kill)


def stop_servers(store: Path, batch: list[Response], expected: list[list[Score]]) -> dict[str, int]:
    """SIGTERM to one server after the other; the last one stays."""
    with ExitStack() as stack:
        urls = [stack.enter_context(local_server(store)) for _ in range(SERVERS)]
        return Load(",".join(urls), batch, expected).under(
            lambda n: server_at(urls[n]).terminate(), SERVERS - 1
        )


def reload(store: Path, batch: list[Response], expected: list[list[Score]]) -> dict[str, int]:
    """A reload of a store that has not changed."""
    with local_server(store) as url:
        return Load(url, batch, expected).under(
            lambda _: httpx.post(f"{url}/v1/reload", timeout=60).raise_for_status()
        )


def replace(store: Path, batch: list[Response], expected: list[list[Score]]) -> dict[str, int]:
    """The file replaced by another again and again while reloads read it, every fifth time by half
    a file.
    """
    other, fresh, done = (
        store.with_name("other.duckdb"),
        store.with_name("fresh.duckdb"),
        threading.Event(),
    )
    shutil.copy(store, other)
    with Store.open(other) as opened:
        items = sorted(opened.embeddings())
        opened.save_embeddings(
            items, np.random.default_rng(0).normal(size=(len(items), 8)).astype(np.float32), {}
        )
    files = [store.read_bytes(), other.read_bytes()]
    expected = [*expected, Snapshot.load(other).score(batch, PROFILES["rerec"])]

    def swap() -> None:
        for n in count():
            whole = files[n % 2]
            fresh.write_bytes(whole if n % 5 else whole[: len(whole) // 2])
            fresh.replace(store)
            if done.wait(0.05):
                return

    with local_server(store) as url, ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(swap)
        codes = Counter()

        def trouble(_: int) -> None:
            codes[httpx.post(f"{url}/v1/reload", timeout=60).status_code] += 1

        found = Load(url, batch, expected).under(trouble)
        done.set()
        swapping.result()
    return found | {f"reloads answered {code}": n for code, n in sorted(codes.items())}


with tempfile.TemporaryDirectory() as made:
    store = make_store(Path(made))
    batch = [Response(**row) for row in responses(store, 64)]
    expected = [Snapshot.load(store).score(batch, PROFILES["rerec"])]
    total: Counter[str] = Counter()
    for fault in (kill_workers, stop_servers, reload, replace):
        found = fault(store, batch, expected)
        total.update(found)
        print(
            f"{fault.__name__}: {', '.join(f'{n} {what}' for what, n in found.items())}", flush=True
        )
report(
    "faults",
    total["wrong"] + total["lost"],
    f"wrong or lost of {total['answered']} batches",
    0,
    not total["wrong"] + total["lost"],
)
