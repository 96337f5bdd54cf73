"""`just bench ask_http [STORE]`: the assistant over HTTP, 32 users at once, against an empty
FastAPI endpoint in the same run; and how soon a streamed answer begins for one user.
"""

import json
import random
import socket
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from agents.assistant.catalogue import Catalogue
from data_engine.runtime.children import rerec_command
from tests.bench.ask import questions
from tests.bench.load import make_store, rate, report, request, serving

USERS, SECONDS, TARGET, FIRST_BYTE = 32, 5.0, 1 / 40, 0.1
EMPTY = [sys.executable, "-m", "uvicorn", "tests.bench.anchor:app", "--port", "0"]


def chat(text: str, *, stream: bool) -> bytes:
    """A question to the chat API, as it goes over the wire."""
    body = {"messages": [{"role": "user", "content": text}], "stream": stream}
    message = request("/v1/chat/completions", json.dumps(body).encode())
    return message.replace(b"host: bench", b"host: localhost", 1)  # no other name is served


def first_byte(port: int, message: bytes) -> float:
    """Seconds until the answer begins."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        start = time.perf_counter()
        connection.sendall(message)
        head = connection.recv(100)
        taken = time.perf_counter() - start
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head)
    return taken


def main() -> None:
    """See the module. A store may be named; else one is made."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(sys.argv[1]) if len(sys.argv) > 1 else make_store(Path(folder))
        texts = list(questions(Catalogue.load(store), 256, 0))
        random.Random(0).shuffle(texts)
        asked = [chat(text, stream=False) for text in texts]
        words = rerec_command("assistant", "--store", store, "--port", "0")
        with serving([*EMPTY, "--no-access-log"]) as empty, serving(words) as ours:
            nothing = rate(empty, [request("/empty", b"{}")], USERS, SECONDS)
            answers = rate(ours, asked, USERS, SECONDS)
            first = [first_byte(ours, chat(text, stream=True)) for text in texts[:100]]
    p95 = float(np.quantile(first, 0.95))
    print(f"empty endpoint {nothing:.0f}/s, answers {answers:.0f}/s: 1/{nothing / answers:.0f}")
    print(f"first byte of a stream: median {1000 * np.median(first):.1f} ms, p95 {1000 * p95:.1f}")
    holds = answers >= TARGET * nothing and p95 <= FIRST_BYTE
    report("ask_http", answers / nothing, "× an empty endpoint's rate", ">= 1/40", holds)


if __name__ == "__main__":
    main()
