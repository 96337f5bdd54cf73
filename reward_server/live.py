"""The snapshot that a server scores with now: loaded, swapped for a newer one without a pause, never half of each."""

import atexit
import gc
import logging
import os
import signal
import threading
from pathlib import Path

from data_engine.errors import RerecError
from reward_server.snapshot import Snapshot

log = logging.getLogger("rerec.server")
atexit.register(gc.unfreeze)  # libraries look for leaks when the process ends


def settle() -> None:
    """Free what nobody uses, and keep the collector away from the rest: walking a loaded graph would hold up every request."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # a batch makes many short-lived lists: look at them less often


class Live:
    """Who answers a request takes `snapshot` once and keeps to it."""

    def __init__(self, store: Path, snapshot: Snapshot, rechead: Path | None = None) -> None:
        self.store, self.snapshot, self.rechead = store, snapshot, rechead
        self.parent: int | None = None  # of a forked worker: who loads for all
        self._loading = threading.Lock()

    def reload(self) -> bool:
        """Load the store again and swap it in; the old snapshot stays when that fails, and the log says why. True when swapped.

        A forked worker asks its parent, which replaces all workers by and by.
        """
        if self.parent is not None:
            os.kill(self.parent, signal.SIGHUP)
            return True
        with self._loading:
            try:
                self.snapshot = Snapshot.load(self.store, self.rechead)
            except RerecError as error:
                log.error("reload failed, graph %s is still served: %s", self.snapshot.digest, error)
                return False
        settle()
        log.info("reloaded: graph %s, %d examples", self.snapshot.digest, len(self.snapshot.targets))
        return True
