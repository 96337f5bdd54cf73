"""What this machine has for us."""

import os
from collections.abc import Iterator
from pathlib import Path

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> float:
    """The memory in GB that this process may use: the machine's, or its container's."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([whole, *_limits()]) / 2**30


def _limits() -> Iterator[int]:
    """Bytes that the control groups allow, of versions 2 and 1."""
    for path in map(Path, LIMITS):
        if path.is_file() and (said := path.read_text().strip()).isdigit():
            yield int(said)
