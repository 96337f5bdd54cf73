"""A light load generator and the worlds to load: raw HTTP/1.1 over asyncio, so that the client is
not what is measured.
"""

import asyncio
import json
import os
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import uvloop

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from train.tasks.prompts import response

BATCH, CHARACTERS, PER_EXAMPLE = 256, 1200, 8


def make_store(folder: Path) -> Path:
    """The invented world with a few hundred Examples."""
    store = folder / "world.duckdb"
    counts = ["--sft", "0", "--rl", "400", "--validation", "0", "--test", "0", "--workers", "1"]
    for words in (
        ["data", "import", "world"],
        ["data", "embed", "--epochs", "2"],
        ["synth", *counts],
    ):
        subprocess.run(
            rerec_command(*words, "--store", str(store)), check=True, capture_output=True
        )
    return store


def responses(store: Path, count: int) -> list[dict[str, str]]:
    """Chains of the store's own Examples, right and flawed, drawn out to CHARACTERS with prose;
    PER_EXAMPLE in a row for each, as rollouts come.
    """
    evidence, rng = Evidence.load(store), random.Random(0)
    with Store.open(store, read_only=True) as opened:
        examples = opened.examples("rl", limit=-(-count // PER_EXAMPLE))
    prose = "\n".join(
        f"Let me think about it once more before I settle: the request is for something quite "
        f"particular, number {n}."
        for n in range(20)
    )
    made = []
    for example in examples:
        for _ in range(PER_EXAMPLE):
            text = response(rng.choice(example.chains), evidence)
            cut = text.index("<answer>")
            made.append(
                {
                    "example_id": example.example_id,
                    "response": text[:cut]
                    + prose[: max(0, CHARACTERS - len(text))]
                    + f"\n{text[cut:]}",
                }
            )
    return made[:count]


def request(path: str, body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\n".encode()
        + f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def hammer(port: int, messages: list[bytes], connections: int, seconds: float) -> list[float]:
    """Seconds of every answered request; each connection sends the next message as soon as it has
    its answer. Raises on any status but 200.
    """
    end, taken = time.perf_counter() + seconds, []

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        k = number
        while (start := time.perf_counter()) < end:
            writer.write(messages[k % len(messages)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{head[:40]!r}: {answer[:200]!r}")
            taken.append(time.perf_counter() - start)
            k += connections
        writer.close()

    await asyncio.gather(*map(one, range(connections)))
    return taken


def rate(port: int, messages: list[bytes], connections: int, seconds: float) -> float:
    """Requests a second, after a short run to warm up."""
    uvloop.run(hammer(port, messages, connections, 1.0))
    start = time.perf_counter()
    return len(uvloop.run(hammer(port, messages, connections, seconds))) / (
        time.perf_counter() - start
    )


def pump(port: int, messages: list[bytes], connections: int, seconds: float) -> float:
    """Requests a second of large messages: a thread a connection that waits in the kernel, so that
    the servers have the cores to themselves.
    """

    def one(number: int, end: float) -> int:
        count, buffer = 0, bytearray(2**22)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while time.perf_counter() < end:
                connection.sendall(messages[(number + count) % len(messages)])
                have = connection.recv_into(buffer)
                while (cut := buffer.find(b"\r\n\r\n", 0, have)) < 0:
                    have += connection.recv_into(memoryview(buffer)[have:])
                head = bytes(buffer[:cut]).lower()
                if not head.startswith(b"http/1.1 200"):
                    raise RuntimeError(bytes(buffer[:have]))
                whole = cut + 4 + int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                while have < whole:
                    have += connection.recv_into(
                        memoryview(buffer)[have:], whole - have, socket.MSG_WAITALL
                    )
                count += 1
        return count

    with ThreadPoolExecutor(connections) as pool:
        for length in (1.0, seconds):  # the first to warm up
            start = time.perf_counter()
            total = sum(pool.map(one, range(connections), [start + length] * connections))
    return total / (time.perf_counter() - start)


@contextmanager
def serving(words: list[str], cores: str = "0") -> Iterator[int]:
    """A server process on the given cores, while this process keeps to the last one; yields its
    port once it is up: it chooses a free one, and says its URL.
    """
    os.sched_setaffinity(0, {os.cpu_count() - 1})
    command = ["taskset", "-c", cores, *words]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )
    try:
        url = next(
            found
            for line in process.stdout
            if (found := re.search(r"http://127.0.0.1:(\d+)", line))
        )
        threading.Thread(
            target=process.stdout.read, daemon=True
        ).start()  # so that it never waits to say more
        yield int(url[1])
    finally:
        process.terminate()
        process.wait(30)


def report(bench: str, figure: float, unit: str, target: object, holds: bool) -> None:
    """The last line of every benchmark."""
    print(
        json.dumps(
            {
                "bench": bench,
                "figure": round(figure, 2),
                "unit": unit,
                "target": target,
                "holds": bool(holds),
            }
        )
    )
