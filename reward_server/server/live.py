"""What a server answers with now, the snapshot and the tokens: loaded, swapped for newer ones without a pause, never half of each."""

import atexit
import gc
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from data_engine.errors import RerecError
from reward_server.server.guards import Tokens
from reward_server.snapshot import Snapshot

log = logging.getLogger("rerec.server")
atexit.register(gc.unfreeze)  # libraries look for leaks when the process ends


def settle() -> None:
    """Free what nobody uses, and keep the collector away from the rest: walking a loaded graph would hold up every request."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(
        20_000, 20, 20
    )  # a batch makes many short-lived lists: look at them less often


class Live:
    """Who answers a request takes `snapshot` once and keeps to it. `tokens` is read from a file, where one is given: raises DataError."""

    def __init__(
        self,
        store: Path,
        snapshot: Snapshot,
        rechead: Path | None = None,
        tokens: Path | None = None,
    ) -> None:
        self.store, self.snapshot, self.rechead, self._tokens = store, snapshot, rechead, tokens
        self.tokens = _tokens(tokens)
        self.elsewhere: Callable[[], dict[str, object] | None] | None = (
            None  # of one process of several: how all are loaded again
        )
        self._loading = threading.Lock()

    def reload(self) -> dict[str, object] | None:
        """Load store, RecHead and tokens again and swap them in: what is served then; None when one of them cannot be loaded: the old ones stay,
        and the log says why. Of several processes all are loaded again."""
        with self._loading:
            if self.elsewhere is not None:
                return self.elsewhere()
            try:
                snapshot, tokens = Snapshot.load(self.store, self.rechead), _tokens(self._tokens)
                snapshot.start_head()
            except RerecError as error:
                log.error(
                    "reload failed, graph %s is still served: %s", self.snapshot.digest, error
                )
                return None
            self.snapshot, self.tokens = snapshot, tokens
            settle()
            log.info("reloaded: %s", snapshot.facts())
            return snapshot.facts()


def _tokens(file: Path | None) -> Tokens:
    return Tokens.load(file) if file else Tokens()
