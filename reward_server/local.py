"""A reward server of one's own: a child process on a loopback port of its choice, stopped with the block that needs it."""

import os
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from data_engine.runtime.children import rerec_command
from reward_server.errors import RewardError

START_SECONDS = 300.0  # on a busy machine; one that died is noticed at once


@contextmanager
def local_server(
    store: Path,
    log: Path | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Serve `store` and yield the URL once it is ready; `options` are those of `rerec serve`. Raises RewardError with the server's last
    words when it dies first.
    """
    out = log.open("ab") if log else subprocess.DEVNULL
    told, tell = os.pipe()
    process = subprocess.Popen(
        rerec_command(
            "serve", "--store", store, "--port", 0, *options, "--while-stdin", "--tell", tell
        ),
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,  # closes when this process ends, however it ends, and the server with it
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=(tell,),
    )
    os.close(tell)
    try:
        yield _url(told, process, log)
    finally:
        os.close(told)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        if log:
            out.close()


def _url(told: int, process: subprocess.Popen, log: Path | None) -> str:
    """What the server tells when it serves; the pipe just ends when it dies first."""
    if not select.select([told], [], [], START_SECONDS)[0]:
        raise RewardError(f"the reward server was not ready within {START_SECONDS:.0f} s")
    if url := os.read(told, 4096).decode().strip():
        return url
    lines = log.read_text().strip().splitlines() if log else []
    words = [line for line in lines if line.startswith("error:")][-1:] or lines[-1:]
    raise RewardError(
        f"the reward server ended at start with code {process.wait()}: {' '.join(words) or 'run `rerec serve` to see why'}"
    )
