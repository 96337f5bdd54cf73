"""How many torch threads a tiny policy is worth."""

import os

MOST = 4  # more only wait for one another on layers this small


def threads() -> int:
    """The cores that this process may use (a pinned process must not fight itself), at most MOST, and OMP_NUM_THREADS where it is set: so does
    Ray for a task of so many cores."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(MOST, allowed, max(1, int(told)) if told.isdigit() else MOST)
