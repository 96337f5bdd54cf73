"""How many torch threads a tiny policy is worth."""

import os

from data_engine.runtime.machine import cores

MOST = 4  # more only wait for one another on layers this small


def threads() -> int:
    """The number of torch threads to use, between 1 and MOST.

    At most the cores that this process may use, since a pinned process must not fight itself, and
    OMP_NUM_THREADS where it is set, as Ray does for a task with that many cores.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(MOST, cores(), max(1, int(limit)) if limit.isdigit() else MOST)
