"""p99 of one polite client while others send 10,000 mutated bodies, bodies of 100 MB and bodies
that never come; no 5xx, no growth from the first round of it to the last.

`python -m tests.bench.abuse abuser PORT STORE` is the abuser, a process of its own.
"""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import uvloop

from data_engine.runtime.children import rerec_command
from tests.bench.load import hammer, make_store, report, request, responses, serving

BODIES, ROUNDS, HUGE, SLOW, POLITE, ABUSERS, SECONDS = 10_000, 3, 5, 200, 4, 4, 8.0
TARGET, GROWTH = 3.0, 1.0
STRANGE = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b'"\\ud800"',
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b"\xff\xfe",
    b"null",
    b'"' + b"x" * 40_000 + b'"',
]


def mutated(good: list[bytes], rng: random.Random) -> bytes:
    """A good body cut short, or with something strange put in the place of a piece of it."""
    body = rng.choice(good)
    place = rng.randrange(len(body))
    return (
        body[:place]
        if rng.random() < 0.3
        else body[:place] + rng.choice(STRANGE) + body[place + rng.randrange(40) :]
    )


async def send(port: int, message: bytes) -> int:
    """The status of one request on its own connection; 0 where the server hung up without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(message)
        return int((await reader.read(2000)).split(b" ", 2)[1] or 0)
    except (ConnectionError, IndexError):
        return 0
    finally:
        writer.close()


async def abuse(port: int, good: list[bytes]) -> Counter[int]:
    """All of it, ABUSERS connections at a time; the statuses that came back."""
    rng, codes = random.Random(0), Counter()
    messages = [request("/v1/score", mutated(good, rng)) for _ in range(BODIES)]
    head = b"POST /v1/score HTTP/1.1\r\nhost: bench\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    for k in range(HUGE):
        messages[k * BODIES // HUGE] = head + chunk * 100 + b"0\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW)]
    for connection in slow:
        connection.sendall(
            b"POST /v1/score HTTP/1.1\r\nhost: bench\r\ncontent-length: 1000\r\n\r\n{"
        )

    async def one(number: int) -> None:
        for message in messages[number::ABUSERS]:
            codes[await send(port, message)] += 1

    await asyncio.gather(*map(one, range(ABUSERS)))
    return codes


def main() -> None:
    """Quiet, then abused."""
    with tempfile.TemporaryDirectory() as made:
        store = make_store(Path(made))
        rows = responses(store, 256)
        messages = [request("/v1/score", json.dumps({"responses": [row]}).encode()) for row in rows]
        with serving(
            rerec_command("serve", "--store", str(store), "--port", "0", "--seconds", "20")
        ) as port:
            server = next(
                p for p in psutil.Process(os.getpid()).children() if "serve" in p.cmdline()
            )
            uvloop.run(hammer(port, messages, POLITE, 2.0))
            quiet = uvloop.run(hammer(port, messages, POLITE, SECONDS))
            words = [
                "nice",
                "-n",
                "19",
                sys.executable,
                "-m",
                "tests.bench.abuse",
                "abuser",
                str(port),
                str(store),
            ]
            codes, loud, sizes = Counter(), [], []
            for _ in range(ROUNDS):
                with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as abuser:
                    abuser.stdout.readline()  # it is ready
                    while abuser.poll() is None:
                        loud += uvloop.run(hammer(port, messages, POLITE, 0.5))
                    codes.update(
                        {int(code): n for code, n in json.loads(abuser.stdout.readline()).items()}
                    )
                sizes.append(server.memory_info().rss)
            growth = 100 * (sizes[-1] / sizes[0] - 1)
    p99 = [float(np.quantile(taken, 0.99)) * 1000 for taken in (quiet, loud)]
    print(
        f"statuses {dict(codes)}; polite p99 {p99[0]:.2f} → {p99[1]:.2f} ms over {len(loud)} "
        f"requests"
    )
    failed = sum(n for code, n in codes.items() if code >= 500)
    holds = (
        not failed
        and p99[1] < TARGET * p99[0]
        and growth < GROWTH
        and sum(codes.values()) == BODIES * ROUNDS
    )
    report(
        "abuse",
        p99[1] / p99[0],
        f"× the quiet p99; {failed} answers 5xx, memory {growth:+.2f} %",
        f"< {TARGET}",
        holds,
    )


if sys.argv[1:2] == ["abuser"]:
    bodies = [json.dumps({"responses": [row]}).encode() for row in responses(Path(sys.argv[3]), 64)]
    print("ready", flush=True)
    print(json.dumps(asyncio.run(abuse(int(sys.argv[2]), bodies))))
else:
    main()
