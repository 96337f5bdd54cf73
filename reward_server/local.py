"""A reward server as a child process on a free loopback port, for the length of a block."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from data_engine.errors import NotServing
from data_engine.http.child import served
from reward_server.errors import RewardError


@contextmanager
def local_server(
    store: Path,
    log: Path | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Serve `store` and yield the URL once the server is ready; it stops with the block.

    log: a file that gets the server's output. options: those of `rerec serve`. environment: added
    to this process's own. Raises RewardError with the server's last line when it ends first.
    """
    server = served("serve", "--store", store, *options, log=log, environment=environment)
    with ExitStack() as stack:
        try:
            url = stack.enter_context(server)
        except NotServing as error:
            raise RewardError(str(error)) from error
        yield url
