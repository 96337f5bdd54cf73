"""What a server answers with: a snapshot and the tokens, replaced together by newer ones."""

import logging
import threading
from pathlib import Path

from data_engine.errors import RerecError
from data_engine.http.served import Facts, ReloadAll, freeze_loaded_objects
from data_engine.http.tokens import Tokens
from reward_server.snapshot import Snapshot

log = logging.getLogger("rerec.server")


class ServerState:
    """The snapshot and the tokens that requests are answered with.

    A request takes `snapshot` once and keeps to it, so that a reload never gives it half of each.
    Raises DataError for a token file that cannot be read.
    """

    def __init__(
        self,
        store: Path,
        snapshot: Snapshot,
        rechead: Path | None = None,
        token_file: Path | None = None,
    ) -> None:
        self.store, self.snapshot = store, snapshot
        self._rechead, self._token_file = rechead, token_file
        self.tokens = _load_tokens(token_file)
        # In one of several processes: reloads all of them, in place of `reload`'s own work.
        self.reload_all: ReloadAll | None = None
        self._loading = threading.Lock()

    def reload(self) -> Facts | None:
        """Load store, RecHead and tokens again and swap them in; returns what is served then.

        None when one of them cannot be loaded: the old ones stay, and the log says why.
        """
        with self._loading:
            if self.reload_all is not None:
                return self.reload_all()
            try:
                snapshot = Snapshot.load(self.store, self._rechead)
                tokens = _load_tokens(self._token_file)
                snapshot.start_head()
            except RerecError as error:
                log.error(
                    "reload failed, graph %s is still served: %s", self.snapshot.digest, error
                )
                return None
            self.snapshot, self.tokens = snapshot, tokens
            freeze_loaded_objects()
            log.info("reloaded: %s", snapshot.facts())
            return snapshot.facts()


def _load_tokens(file: Path | None) -> Tokens:
    return Tokens.load(file) if file else Tokens()
