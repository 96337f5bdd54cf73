"""A hang-up signal loads what is served again, in a thread."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from data_engine.errors import RerecError

log = logging.getLogger("rerec.server")


@contextmanager
def reload_on_hangup(reload: Callable[[], object]) -> Iterator[None]:
    """Within the block, in a running event loop, SIGHUP calls `reload`; an error of ours is logged.

    Not possible outside the main thread.
    """
    loop = asyncio.get_running_loop()

    def try_reload() -> None:
        try:
            reload()
        except RerecError as error:
            log.error("reload failed, the old store is still served: %s", error)

    def reload_in_thread() -> None:
        loop.run_in_executor(None, try_reload)

    with suppress(ValueError, RuntimeError, NotImplementedError):
        loop.add_signal_handler(signal.SIGHUP, reload_in_thread)
    yield
