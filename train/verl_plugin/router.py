"""The router of a rollout whose client asks the servers itself, as that of transformers does.

verl starts a router for every run, in a process of its own; its own one would load verl there.
"""

from typing import Any


class UnusedRouter:
    """Takes what verl gives to a router, and routes nothing."""

    def __init__(self, servers: dict[str, Any], config: dict[str, Any]) -> None:
        pass
