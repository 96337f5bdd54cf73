"""Scores without a server: the same code and the same figures, in this process."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from reward_server.errors import RewardError
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Response, Score, Weights


def score(
    store: Path | str,
    responses: Iterable[tuple[str, str]],
    weights: Weights | str = "rerec",
) -> list[Score]:
    """Score (example id, response text) pairs, in order.

    `weights` are a named profile or weights of your own. The store is read once for many calls, as
    long as the file stays as it is.

    Raises UnknownExamples for ids that are not in the store, DataError for a store without
    Examples, RewardError for an unknown profile.
    """
    if isinstance(weights, str):
        if weights not in PROFILES:
            raise RewardError(f"no profile {weights!r}: choose from {', '.join(PROFILES)}")
        weights = PROFILES[weights]
    path = Path(store)
    snapshot = _snapshot(path.resolve(), path.stat().st_mtime_ns if path.exists() else 0)
    return snapshot.score([Response(example, text) for example, text in responses], weights)


@lru_cache(maxsize=1)
def _snapshot(path: Path, _changed: int) -> Snapshot:
    return Snapshot.load(path)
