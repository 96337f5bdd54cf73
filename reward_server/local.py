"""A reward server of one's own: a child process on a free loopback port, stopped with the block that needs it."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from data_engine.children import rerec_command
from reward_server.client import RewardClient
from reward_server.errors import RewardError, ServerUnreachable

START_SECONDS = 300.0  # on a busy machine; one that died is noticed at once


@contextmanager
def local_server(store: Path, log: Path | None = None, options: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve `store` and yield the URL once it is ready; `options` are those of `rerec serve`. Raises RewardError with the server's last
    words when it dies first.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    out = log.open("ab") if log else subprocess.DEVNULL
    process = subprocess.Popen(
        rerec_command("serve", "--store", store, "--port", port, *options, "--while-stdin"),
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,  # closes when this process ends, however it ends, and the server with it
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_ready(process, url, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        if log:
            out.close()


def free_port() -> int:
    """A loopback port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_ready(process: subprocess.Popen, url: str, log: Path | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    with RewardClient(url) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                lines = log.read_text().strip().splitlines() if log else []
                words = [line for line in lines if line.startswith("error:")][-1:] or lines[-1:]
                raise RewardError(
                    f"the reward server ended at start with code {process.returncode}: {' '.join(words) or 'run `rerec serve` to see why'}"
                )
            try:
                client.ready()
                return
            except ServerUnreachable:
                time.sleep(0.1)
    raise RewardError(f"the reward server at {url} was not ready within {START_SECONDS:.0f} s")
