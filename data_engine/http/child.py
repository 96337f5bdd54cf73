"""A server of ours as a child process on a free loopback port, for the length of a block."""

import os
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from data_engine.errors import NotServing
from data_engine.runtime.children import rerec_command

START_SECONDS = 300.0  # on a busy machine; a server that died is noticed at once
STOP_SECONDS = 10.0


@contextmanager
def served(
    *words: object, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run `rerec WORDS` and yield its URL once it serves; it stops with the block.

    log: a file that gets the server's output. environment: added to this process's own.
    Raises NotServing with the server's last line when it ends first.
    """
    url_pipe, server_end = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, url_pipe)
        try:
            process = subprocess.Popen(
                rerec_command(*words, "--port", 0, "--while-stdin", "--tell", server_end),
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,  # closes however this process ends, and ends the server
                stdout=stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(server_end,),
            )
        finally:
            os.close(server_end)
        stack.callback(_stop, process)
        yield _wait_for_url(str(words[0]), url_pipe, process, log)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait_for_url(
    command: str, url_pipe: int, process: "subprocess.Popen[bytes]", log: Path | None
) -> str:
    """The URL that the server writes when it serves; the pipe just ends when it dies first."""
    if not select.select([url_pipe], [], [], START_SECONDS)[0]:
        raise NotServing(f"`rerec {command}` was not ready within {START_SECONDS:.0f} s")
    if url := os.read(url_pipe, 4096).decode().strip():
        return url
    lines = log.read_text().strip().splitlines() if log else []
    errors = [line for line in lines if line.startswith("error:")]
    reason = " ".join(errors[-1:] or lines[-1:]) or f"run `rerec {command}` to see why"
    raise NotServing(f"the server ended at start with code {process.wait()}: {reason}")
